//! ECS's errors that several calls share.

use crate::error::ApiError;

/// ECS's code for most wrong parameters.
pub(crate) const INVALID: &str = "InvalidParameterException";

/// ECS's code for what it cannot do with right ones, and for all that is wrong with a task definition.
pub(crate) const CLIENT: &str = "ClientException";

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

pub(crate) fn client_error(message: impl Into<String>) -> ApiError {
    ApiError::new(CLIENT, message)
}
