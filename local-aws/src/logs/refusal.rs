//! What the service refuses in more than one of its calls.

use crate::error::ApiError;

/// The service's code for a wrong parameter.
pub(super) const INVALID: &str = "InvalidParameterException";

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

/// What AWS says of a value that its model does not allow.
pub(super) fn constraint(member: &str, value: impl std::fmt::Display, rule: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    ))
}

/// How long names of groups and streams may be.
pub(super) const MAX_NAME: usize = 512;

pub(super) fn too_long() -> ApiError {
    invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
}

pub(super) fn bad_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}
