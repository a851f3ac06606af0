//! How a pattern is refused.

use crate::error::ApiError;

/// `InvalidEventPatternException` with AWS's reason.
pub(super) fn invalid(reason: impl std::fmt::Display) -> ApiError {
    ApiError::new("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {reason}"))
}
