//! What the service refuses in more than one of its calls.

use crate::error::ApiError;

/// The service's code for a wrong parameter.
pub(super) const INVALID: &str = "InvalidParameterValueException";

/// The names of the service's errors in the JSON protocol, and those that they had in its older one: AWS sends both.
pub(super) const QUERY_CODES: &[(&str, &str)] = &[
    ("AccessDeniedException", "AccessDenied"),
    ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
    ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
    (INVALID, "InvalidParameterValue"),
    ("MissingRequiredParameterException", "MissingParameter"),
    ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"),
    (NO_QUEUE, "AWS.SimpleQueueService.NonExistentQueue"),
    ("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
    ("QueueNameExists", "QueueAlreadyExists"),
    ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
];

/// The code for a queue that is not there.
pub(crate) const NO_QUEUE: &str = "QueueDoesNotExist";

pub(super) fn no_queue() -> ApiError {
    ApiError::new(NO_QUEUE, "The specified queue does not exist.")
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

/// What AWS says of the value of a parameter.
pub(super) fn invalid_value(parameter: &str, value: impl std::fmt::Display, reason: &str) -> ApiError {
    invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

pub(super) fn missing(parameter: &str) -> ApiError {
    ApiError::new("MissingRequiredParameterException", format!("The request must contain the parameter {parameter}."))
}

pub(super) fn unknown_attribute(name: &str) -> ApiError {
    ApiError::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn invalid_attribute(name: &str) -> ApiError {
    ApiError::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

/// The value of a number that must be in a range, or what AWS says of another.
pub(super) fn in_range(
    parameter: &str,
    value: Option<i64>,
    range: std::ops::RangeInclusive<i64>,
    usual: i64,
    reason: &str,
) -> Result<i64, ApiError> {
    match value {
        None => Ok(usual),
        Some(value) if range.contains(&value) => Ok(value),
        Some(value) => Err(invalid_value(parameter, value, reason)),
    }
}

pub(super) fn invalid_contents() -> ApiError {
    ApiError::new(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
         #x10000 to #x10FFFF",
    )
}

/// What an error is called in the older protocol, which entries of batches are told.
pub(super) fn query_code(code: &str) -> &str {
    QUERY_CODES.iter().find(|(name, _)| *name == code).map_or(code, |(_, query)| query)
}
