//! What the service refuses in more than one of its calls.

use crate::error::ApiError;

/// The service's code for a wrong parameter.
pub(super) const INVALID: &str = "ValidationException";

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message).status(404)
}

pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new("ConflictException", message).status(409)
}

pub(super) fn quota_exceeded(message: impl Into<String>) -> ApiError {
    // 402 is what AWS FIS answers here; no other service of the lab does.
    ApiError::new("ServiceQuotaExceededException", message).status(402)
}

pub(super) fn bad_token() -> ApiError {
    invalid("The nextToken is not valid.")
}
