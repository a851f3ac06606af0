use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("ecr", operation))
}

/// Every tagged resource of the service.
pub(crate) fn tagged(
    _endpoint: &Endpoint,
    _tx: &crate::store::Tx<'_>,
) -> Result<Vec<crate::tagging::Tagged>, ApiError> {
    Ok(Vec::new())
}
