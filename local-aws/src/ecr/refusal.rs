//! What the service refuses in more than one of its calls.

use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// The service's code for a wrong parameter.
pub(super) const INVALID: &str = "InvalidParameterException";

pub(super) fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, text)
}

pub(super) fn bad_token() -> ApiError {
    invalid("Invalid parameter: nextToken")
}

/// # Errors
/// For the registry of another account.
pub(super) fn check_registry(endpoint: &Endpoint, registry_id: Option<&str>) -> Result<(), ApiError> {
    match registry_id {
        Some(other) if other != endpoint.identity.account_id => {
            Err(ApiError::unsupported(format!("The registry {other}")))
        }
        _ => Ok(()),
    }
}

/// The page size asked for, or the model's default.
pub(super) fn page_size(wanted: Option<usize>) -> Result<usize, ApiError> {
    match wanted.unwrap_or(100) {
        size @ 1..=1000 => Ok(size),
        _ => Err(invalid("Invalid parameter: maxResults must be between 1 and 1000")),
    }
}
