//! The calls for tasks that move messages out of a dead-letter queue.

use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::message::Counts;
use super::move_task::{MoveTask, Status, source_in_handle};
use super::queue::Queue;
use super::refusal::{NO_QUEUE, in_range, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// How many tasks of a queue are shown, and kept.
const MOST: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

pub(super) fn start_message_move_task(
    endpoint: &Arc<Endpoint>,
    input: StartMessageMoveTask,
) -> Result<Value, ApiError> {
    let reason = "Must be between 1 and 500, if provided.";
    let asked = input.max_number_of_messages_per_second;
    in_range("MaxNumberOfMessagesPerSecond", asked, 1..=500, 0, reason)?;
    let per_second = asked.and_then(|rate| NonZeroU32::new(u32::try_from(rate).ok()?));
    let task = endpoint.store.write(|tx| {
        let source = resource(endpoint, tx, "SourceArn", &input.source_arn)?;
        if let Some(arn) = &input.destination_arn {
            resource(endpoint, tx, "DestinationArn", arn)?;
            if *arn == input.source_arn {
                return Err(invalid("Source queue arn and destination queue arn cannot be the same."));
            }
        }
        if source.sources(endpoint, tx)?.next().is_none() {
            return Err(invalid("Source queue must be configured as a Dead Letter Queue."));
        }
        let others = MoveTask::of_queue(tx, &input.source_arn)?;
        if others.iter().any(|task| task.status == Status::Running) {
            return Err(invalid(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
            ));
        }
        let too_many = (others.len() + 1).saturating_sub(MOST);
        others.iter().take(too_many).try_for_each(|task| tx.delete::<MoveTask>(&Record::id(task)).map(drop))?;
        let to_move = Counts::of(tx, &source.name, Utc::now().timestamp_millis())?.visible;
        let task = MoveTask { to_move, ..MoveTask::new(&input.source_arn, input.destination_arn, per_second) };
        tx.put(&task)?;
        Ok(task)
    })?;
    task.begin(endpoint);
    Ok(json!({"TaskHandle": task.handle()}))
}

/// The queue that a parameter names by its ARN.
fn resource(endpoint: &Endpoint, tx: &Tx<'_>, parameter: &str, arn: &str) -> Result<Queue, ApiError> {
    Queue::of_arn(endpoint, tx, arn).map_err(|error| match error.code.as_str() {
        NO_QUEUE => not_found(format!("The resource that you specified for the {parameter} parameter doesn't exist.")),
        _ => error,
    })
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message).status(404)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListMessageMoveTasks {
    source_arn: String,
    max_results: Option<i64>,
}

pub(super) fn list_message_move_tasks(endpoint: &Endpoint, input: &ListMessageMoveTasks) -> Result<Value, ApiError> {
    let limit = in_range("MaxResults", input.max_results, 1..=10, 1, "Must be between 1 and 10, if provided.")?;
    let tasks = endpoint.store.read(|tx| {
        resource(endpoint, tx, "SourceArn", &input.source_arn)?;
        MoveTask::of_queue(tx, &input.source_arn)
    })?;
    let newest = tasks.iter().rev().take(usize::try_from(limit).unwrap_or(MOST));
    Ok(json!({"Results": newest.map(show).collect::<Vec<_>>()}))
}

fn show(task: &MoveTask) -> Value {
    let mut shown = json!({
        "Status": task.status,
        "SourceArn": task.source_arn,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started_at.timestamp_millis(),
    });
    let running = (task.status == Status::Running).then(|| task.handle());
    for (member, value) in [
        ("TaskHandle", json!(running)),
        ("DestinationArn", json!(task.destination_arn)),
        ("MaxNumberOfMessagesPerSecond", json!(task.per_second)),
        ("FailureReason", json!(task.failure_reason)),
    ] {
        if !value.is_null() {
            shown[member] = value;
        }
    }
    shown
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct CancelMessageMoveTask {
    task_handle: String,
}

pub(super) fn cancel_message_move_task(endpoint: &Endpoint, input: &CancelMessageMoveTask) -> Result<Value, ApiError> {
    let source_arn = source_in_handle(&input.task_handle).ok_or_else(|| invalid("The TaskHandle is not valid."))?;
    endpoint.store.write(|tx| {
        let tasks = MoveTask::of_queue(tx, &source_arn)?;
        let task = tasks.into_iter().find(|task| task.handle() == input.task_handle);
        let task = task.ok_or_else(|| not_found("Task does not exist."))?;
        if task.status != Status::Running {
            return Err(ApiError::new("UnsupportedOperation", "Only a task that is running can be cancelled."));
        }
        let moved = task.moved;
        tx.put(&MoveTask { status: Status::Cancelled, ..task })?;
        Ok(json!({"ApproximateNumberOfMessagesMoved": moved}))
    })
}

/// Goes on with the tasks that an earlier endpoint began.
pub(super) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let tasks = endpoint.store.read(|tx| tx.list::<MoveTask>())?;
    tasks.iter().filter(|task| task.status == Status::Running).for_each(|task| task.begin(endpoint));
    Ok(())
}

/// Forgets the tasks of queues that are gone.
pub(super) fn forget(tx: &Tx<'_>) -> Result<(), ApiError> {
    for task in tx.list::<MoveTask>()?.iter().filter(|task| task.status != Status::Running) {
        let name = task.source_arn.rsplit(':').next().unwrap_or_default();
        if tx.get::<Queue>(name)?.is_none() {
            tx.delete::<MoveTask>(&Record::id(task))?;
        }
    }
    Ok(())
}
