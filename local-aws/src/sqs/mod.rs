//! SQS: standard queues. A message is a row of its own table, and who waits for one is woken when it comes.
//!
//! - `queue`, `settings`, `redrive`: what a queue is; `queues`, `attributes`, `tags`: the calls that show and change it
//! - `message`, `message_attribute`, `receipt`: what a message is; `waiters`: who waits for one
//! - `send`, `receive`: in and out; `batch`: ten at once
//! - `permission`: what roles must be allowed

mod attributes;
mod message;
mod message_attribute;
mod permission;
mod queue;
mod queues;
mod receipt;
mod receive;
mod redrive;
mod refusal;
mod send;
mod settings;
mod tags;
mod waiters;

use std::sync::Arc;

use self::refusal::{INVALID, QUERY_CODES, missing};
use crate::error::ApiError;
use crate::service::{Call, Operation, Service};
use crate::wire;

pub(crate) use refusal::NO_QUEUE;
pub(crate) use send::{deliver, deliver_as};

pub(crate) static SERVICE: Service = Service {
    forget: queues::forget,
    tagged: tags::tagged,
    needs: permission::needs,
    resource_policy: permission::resource_policy,
    ..Service::new(
        "SQS",
        wire::Service::json("sqs", "1.0", &["AmazonSQS"]).with_query_codes(QUERY_CODES),
        INVALID,
        &[
            Operation::now("CreateQueue", |call| queues::create_queue(&call.endpoint, read(&call)?)),
            Operation::now("DeleteQueue", |call| queues::delete_queue(&call.endpoint, &read(&call)?)),
            Operation::now("GetQueueAttributes", |call| {
                attributes::get_queue_attributes(&call.endpoint, &read(&call)?)
            }),
            Operation::now("GetQueueUrl", |call| queues::get_queue_url(&call.endpoint, &read(&call)?)),
            Operation::now("ListDeadLetterSourceQueues", |call| {
                queues::list_dead_letter_source_queues(&call.endpoint, &read(&call)?)
            }),
            Operation::now("ListQueueTags", |call| tags::list_queue_tags(&call.endpoint, &read(&call)?)),
            Operation::now("ListQueues", |call| queues::list_queues(&call.endpoint, &read(&call)?)),
            Operation::now("PurgeQueue", |call| queues::purge_queue(&call.endpoint, &read(&call)?)),
            Operation::while_asked("ReceiveMessage", |call| {
                Box::pin(async move { receive::receive_message(Arc::clone(&call.endpoint), read(&call)?).await })
            }),
            Operation::now("SendMessage", |call| send::send_message(&call.endpoint, &call.caller, read(&call)?)),
            Operation::now("SetQueueAttributes", |call| {
                attributes::set_queue_attributes(&call.endpoint, &read(&call)?)
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
