use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) async fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("ecs", operation))
}

pub(crate) fn resume(_endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    Ok(())
}

pub(crate) fn container_endpoint(
    _endpoint: &Arc<Endpoint>,
    _parts: &axum::http::request::Parts,
) -> Option<Result<Value, ApiError>> {
    None
}

/// A task that has not reached STOPPED, as FIS and EC2 see it.
#[derive(Debug, Clone)]
pub(crate) struct ActiveTask {
    pub(crate) arn: String,
    pub(crate) cluster_arn: String,
    pub(crate) subnet_id: String,
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) tags: std::collections::BTreeMap<String, String>,
    /// The task as DescribeTasks shows it (camelCase members).
    pub(crate) description: Value,
}

pub(crate) fn active_tasks(_tx: &crate::store::Tx<'_>) -> Result<Vec<ActiveTask>, ApiError> {
    Ok(Vec::new())
}

/// StopTask with `reason` as the task's stoppedReason.
pub(crate) fn stop_task(_endpoint: &Arc<Endpoint>, task_arn: &str, _reason: &str) -> Result<(), ApiError> {
    Err(ApiError::unknown_operation("ecs", task_arn))
}

/// Every tagged resource of the service.
pub(crate) fn tagged(
    _endpoint: &Endpoint,
    _tx: &crate::store::Tx<'_>,
) -> Result<Vec<crate::tagging::Tagged>, ApiError> {
    Ok(Vec::new())
}
