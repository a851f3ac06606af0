//! SQS: standard queues. A message is a row of its own table, and who waits for one is woken when it comes.
//!
//! - `queue`, `settings`, `redrive`: what a queue is; `queues`, `attributes`, `tags`: the calls that show and change it
//! - `message`, `message_attribute`, `receipt`: what a message is; `waiters`: who waits for one
//! - `send`, `receive`, `release`: in, out, and what comes of it; `batch`: ten at once
//! - `move_task`, `move_tasks`: dead letters go back
//! - `permission`: what roles must be allowed

mod attributes;
mod batch;
mod message;
mod message_attribute;
mod move_task;
mod move_tasks;
mod permission;
mod queue;
mod queues;
mod receipt;
mod receive;
mod redrive;
mod refusal;
mod release;
mod send;
mod settings;
mod tags;
mod waiters;

use std::sync::Arc;

use self::refusal::{INVALID, QUERY_CODES, missing};
use crate::error::ApiError;
use crate::service::{Call, Operation, Service};
use crate::wire;

pub(crate) use queue::{Queue, name_in_url};
pub(crate) use refusal::NO_QUEUE;
pub(crate) use send::{deliver, deliver_as};
pub(crate) use settings::Settings;

pub(crate) static SERVICE: Service = Service {
    resume: move_tasks::resume,
    forget: |tx, now| {
        queues::forget(tx, now)?;
        move_tasks::forget(tx)
    },
    tagged: tags::tagged,
    needs: permission::needs,
    resource_policy: permission::resource_policy,
    ..Service::new(
        "SQS",
        wire::Service::json("sqs", "1.0", &["AmazonSQS"]).with_query_codes(QUERY_CODES),
        INVALID,
        &[
            Operation::now("CancelMessageMoveTask", |call| {
                move_tasks::cancel_message_move_task(&call.endpoint, &read(&call)?)
            }),
            Operation::now("ChangeMessageVisibility", |call| {
                release::change_message_visibility(&call.endpoint, &read(&call)?)
            }),
            Operation::now("ChangeMessageVisibilityBatch", |call| {
                release::change_message_visibility_batch(&call.endpoint, &read(&call)?)
            }),
            Operation::now("CreateQueue", |call| queues::create_queue(&call.endpoint, read(&call)?)),
            Operation::now("DeleteMessage", |call| release::delete_message(&call.endpoint, &read(&call)?)),
            Operation::now("DeleteMessageBatch", |call| release::delete_message_batch(&call.endpoint, &read(&call)?)),
            Operation::now("DeleteQueue", |call| queues::delete_queue(&call.endpoint, &read(&call)?)),
            Operation::now("GetQueueAttributes", |call| {
                attributes::get_queue_attributes(&call.endpoint, &read(&call)?)
            }),
            Operation::now("GetQueueUrl", |call| queues::get_queue_url(&call.endpoint, &read(&call)?)),
            Operation::now("ListDeadLetterSourceQueues", |call| {
                queues::list_dead_letter_source_queues(&call.endpoint, &read(&call)?)
            }),
            Operation::now("ListMessageMoveTasks", |call| {
                move_tasks::list_message_move_tasks(&call.endpoint, &read(&call)?)
            }),
            Operation::now("ListQueueTags", |call| tags::list_queue_tags(&call.endpoint, &read(&call)?)),
            Operation::now("ListQueues", |call| queues::list_queues(&call.endpoint, &read(&call)?)),
            Operation::now("PurgeQueue", |call| queues::purge_queue(&call.endpoint, &read(&call)?)),
            Operation::while_asked("ReceiveMessage", |call| {
                Box::pin(async move { receive::receive_message(Arc::clone(&call.endpoint), read(&call)?).await })
            }),
            Operation::now("SendMessage", |call| send::send_message(&call.endpoint, &call.caller, &read(&call)?)),
            Operation::now("SendMessageBatch", |call| {
                send::send_message_batch(&call.endpoint, &call.caller, &read(&call)?)
            }),
            Operation::now("SetQueueAttributes", |call| {
                attributes::set_queue_attributes(&call.endpoint, &read(&call)?)
            }),
            Operation::now("StartMessageMoveTask", |call| {
                move_tasks::start_message_move_task(&call.endpoint, read(&call)?)
            }),
            Operation::now("TagQueue", |call| tags::tag_queue(&call.endpoint, read(&call)?)),
            Operation::now("UntagQueue", |call| tags::untag_queue(&call.endpoint, &read(&call)?)),
        ],
    )
};

/// Reads the input; a member that is missing is named as AWS does.
fn read<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, ApiError> {
    call.decode().map_err(|error| {
        let name = error.message.split_once("missing field `").and_then(|(_, rest)| rest.split('`').next());
        name.map_or(error.clone(), missing)
    })
}

#[cfg(test)]
mod tests;
