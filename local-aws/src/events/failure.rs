//! Why a target has not got its event, and whether it is tried again.

use crate::error::ApiError;
use crate::sqs::NO_QUEUE;

/// Why a target has not got its event.
#[derive(Debug)]
pub(super) struct Failure {
    /// As dead letters have it.
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Whether it is tried again: AWS does so after 5xx and 429.
    pub(super) is_transient: bool,
}

impl Failure {
    pub(super) fn lasting(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), is_transient: false }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let is_missing = |code: &str| code == NO_QUEUE || code.ends_with("NotFoundException");
        let (code, is_transient) = match error.code.as_str() {
            _ if error.status >= 500 => ("INTERNAL_ERROR", true),
            code if error.status == 429 || code.contains("Throttl") => ("THROTTLING", true),
            "AccessDenied" | "AccessDeniedException" => ("NO_PERMISSIONS", false),
            code if is_missing(code) => ("NO_RESOURCE", false),
            _ => ("SDK_CLIENT_ERROR", false),
        };
        Self { code, message: error.message, is_transient }
    }
}
