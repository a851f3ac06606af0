//! What the service refuses in more than one of its calls.

use crate::error::ApiError;

/// The service's code for a wrong parameter.
pub(super) const INVALID: &str = "ValidationException";

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message)
}

pub(super) fn bad_token() -> ApiError {
    invalid("Parameter NextToken is not valid.")
}

/// What AWS says of a value that its model does not allow.
pub(super) fn constraint(member: &str, value: impl std::fmt::Display, rule: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    ))
}

/// Refuses a name of a rule or a target that AWS does not take.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(constraint(member, name, "have length greater than or equal to 1"));
    }
    if name.len() > 64 {
        return Err(constraint(member, name, "have length less than or equal to 64"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
        return Err(constraint(member, name, r"satisfy regular expression pattern: [\.\-_A-Za-z0-9]+"));
    }
    Ok(())
}

/// Refuses a text that is longer than AWS takes.
pub(super) fn check_length(member: &str, text: Option<&str>, most: usize) -> Result<(), ApiError> {
    match text {
        Some(text) if text.chars().count() > most => {
            Err(constraint(member, text, &format!("have length less than or equal to {most}")))
        }
        _ => Ok(()),
    }
}
