//! The gate's refusals.

use crate::error::ApiError;

pub(super) const INVALID: &str = "ValidationException";

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

pub(super) fn no_gate(cluster: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("The cluster {cluster} has no gate."))
}
