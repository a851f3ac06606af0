//! What the service refuses in more than one of its calls.

use crate::error::ApiError;

/// The service's code for a wrong parameter.
pub(super) const INVALID: &str = "InvalidParameterValueException";

/// A mistake of the caller, who is the `User` in the errors' type.
pub(super) fn refused(code: &str, status: u16, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message).status(status).with("Type", "User")
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    refused(INVALID, 400, message)
}

/// Of this error the model writes `Message`, of the others `message`.
pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    let message = message.into();
    refused("ResourceNotFoundException", 404, message.clone()).with("Message", message)
}

pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    refused("ResourceConflictException", 409, message)
}

/// AWS's text for a member outside its bounds, as the service's front puts it.
pub(super) fn constraint(member: &str, value: impl std::fmt::Display, rule: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    );
    refused("ValidationException", 400, message)
}
