//! A request to a function.

use axum::body::Bytes;

/// What a function is to handle.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The same for all attempts.
    pub(super) id: String,
    pub(super) payload: Bytes,
    pub(super) client_context: Option<String>,
}
