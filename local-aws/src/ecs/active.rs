//! Tasks that are not over, for the services that stop them.

use std::sync::Arc;

use serde_json::Value;

use super::changes;
use super::refusal::invalid;
use super::tag::Tags;
use super::task::{StopCode, Task};
use super::task_description::describe;
use super::task_event;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// A task that has not reached STOPPED, as FIS sees it.
#[derive(Debug, Clone)]
pub(crate) struct ActiveTask {
    pub(crate) arn: String,
    pub(crate) cluster_arn: String,
    pub(crate) tags: Tags,
    /// The task as DescribeTasks shows it (camelCase members).
    pub(crate) description: Value,
}

/// The tasks that have not reached STOPPED.
pub(crate) fn active_tasks(tx: &Tx<'_>) -> Result<Vec<ActiveTask>, ApiError> {
    let tasks = tx.list::<Task>()?.into_iter().filter(|task| !task.is_stopped());
    Ok(tasks
        .map(|task| ActiveTask {
            description: describe(&task, true),
            arn: task.arn,
            cluster_arn: task.cluster_arn,
            tags: task.tags,
        })
        .collect())
}

/// StopTask with `reason` as the task's stoppedReason.
pub(crate) fn stop_task(endpoint: &Arc<Endpoint>, task_arn: &str, reason: &str) -> Result<(), ApiError> {
    endpoint.store.write(|tx| {
        let mut task = Task::by_arn(tx, task_arn)?.ok_or_else(|| invalid("The referenced task was not found."))?;
        request_stop(endpoint, tx, &mut task, reason)
    })?;
    changes::tell(endpoint);
    Ok(())
}

/// Wants the task stopped; its driver is to be told afterwards.
pub(super) fn request_stop(endpoint: &Endpoint, tx: &Tx<'_>, task: &mut Task, reason: &str) -> Result<(), ApiError> {
    let version = task.version;
    task.request_stop(StopCode::UserInitiated, reason);
    tx.put(task)?;
    if task.version == version {
        return Ok(());
    }
    task_event::send(endpoint, tx, task)
}
