//! Resource Groups Tagging: the resources of all services by their tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// A resource with its tags, as each service lists them in its `tagged` function.
pub(crate) struct Tagged {
    pub(crate) arn: String,
    pub(crate) tags: BTreeMap<String, String>,
}

pub(crate) fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("tagging", operation))
}
