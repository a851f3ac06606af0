use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("iam", operation))
}

pub(crate) fn only_user(_caller: &crate::auth::Caller, _service: &str, _operation: &str) -> Result<(), ApiError> {
    Ok(())
}

/// Whether `role_arn` is a role whose trust policy lets `service` (e.g. `ecs-tasks.amazonaws.com`) assume it on
/// behalf of `source_arn` (the resource that it acts for, e.g. the experiment's ARN).
///
/// # Errors
/// AccessDenied with the reason when it does not.
pub(crate) fn assume(
    _endpoint: &Endpoint,
    _tx: &crate::store::Tx<'_>,
    role_arn: &str,
    _service: &str,
    _source_arn: &str,
) -> Result<(), ApiError> {
    Err(ApiError::unknown_operation("iam", role_arn))
}

/// Whether the policies of `role_arn` allow `action` (e.g. `dynamodb:PutItem`) on `resource` (an ARN, or `*` for
/// actions without resource); `context` holds condition keys, e.g. `ecs:cluster`.
///
/// # Errors
/// AWS's AccessDeniedException text when they do not.
pub(crate) fn authorize(
    _tx: &crate::store::Tx<'_>,
    role_arn: &str,
    _action: &str,
    _resource: &str,
    _context: &std::collections::BTreeMap<String, String>,
) -> Result<(), ApiError> {
    Err(ApiError::unknown_operation("iam", role_arn))
}
