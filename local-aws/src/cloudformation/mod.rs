pub(crate) mod resources;
pub(crate) mod schema;
pub(crate) mod template;

use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) async fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("cloudformation", operation))
}

pub(crate) fn resume(_endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    Ok(())
}
