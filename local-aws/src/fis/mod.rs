use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) async fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("fis", operation))
}

pub(crate) fn resume(_endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    Ok(())
}

pub(crate) fn route(parts: &axum::http::request::Parts, _body: Value) -> Result<crate::wire::Call, ApiError> {
    Err(ApiError::unknown_operation("fis", parts.uri.path()))
}

/// Every tagged resource of the service.
pub(crate) fn tagged(
    _endpoint: &Endpoint,
    _tx: &crate::store::Tx<'_>,
) -> Result<Vec<crate::tagging::Tagged>, ApiError> {
    Ok(Vec::new())
}
