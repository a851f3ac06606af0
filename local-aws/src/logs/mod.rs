use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("logs", operation))
}

/// Makes the stream unless it is there. The group must exist (ResourceNotFoundException).
pub(crate) fn ensure_stream(_tx: &crate::store::Tx<'_>, group: &str, _stream: &str) -> Result<(), ApiError> {
    Err(ApiError::unknown_operation("logs", group))
}

/// Appends events (epoch milliseconds, message) to a stream that is there, in the caller's transaction.
pub(crate) fn append(
    _tx: &crate::store::Tx<'_>,
    group: &str,
    _stream: &str,
    _events: &[(i64, String)],
) -> Result<(), ApiError> {
    Err(ApiError::unknown_operation("logs", group))
}

/// Every tagged resource of the service.
pub(crate) fn tagged(
    _endpoint: &Endpoint,
    _tx: &crate::store::Tx<'_>,
) -> Result<Vec<crate::tagging::Tagged>, ApiError> {
    Ok(Vec::new())
}
