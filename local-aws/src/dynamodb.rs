use std::sync::Arc;

use serde_json::Value;

use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) async fn call(
    _endpoint: &Arc<Endpoint>,
    _caller: &Caller,
    operation: &str,
    _input: Value,
) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("dynamodb", operation))
}
