//! SendMessage, and what services send.

use std::collections::BTreeMap;

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{Addressed, Batch};
use super::message::{self, New};
use super::message_attribute::{self, Attribute, Attributes, check_characters};
use super::queue::Queue;
use super::refusal::{in_range, invalid, invalid_value, missing};
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::{Principal, allows_service, authorize_with, user_id};
use crate::store::Tx;

/// What all messages of a batch may have together, in bytes.
const MOST_OF_A_BATCH: usize = 1_048_576;

/// What a message may have beside its queue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SendMessage {
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Attributes,
    #[serde(default)]
    message_system_attributes: Attributes,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

impl SendMessage {
    /// What counts of it against the limits.
    fn size(&self) -> usize {
        self.message_body.len() + message_attribute::size(&self.message_attributes)
    }
}

pub(super) fn send_message(
    endpoint: &Endpoint,
    caller: &Caller,
    input: &Addressed<SendMessage>,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        send(endpoint, tx, &queue, &user_id(tx, caller)?, &input.what)
    })
}

pub(super) fn send_message_batch(
    endpoint: &Endpoint,
    caller: &Caller,
    input: &Batch<SendMessage>,
) -> Result<Value, ApiError> {
    input.check("SendMessageBatchRequestEntry")?;
    let size: usize = input.entries.iter().map(|entry| entry.what.size()).sum();
    if size > MOST_OF_A_BATCH {
        return Err(ApiError::new(
            "BatchRequestTooLong",
            format!("Batch requests cannot be longer than {MOST_OF_A_BATCH} bytes. You have sent {size} bytes."),
        ));
    }
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        let sender = user_id(tx, caller)?;
        input.each(|message| send(endpoint, tx, &queue, &sender, message))
    })
}

/// Puts the message into the queue, unless something is wrong with it; then nothing is written.
fn send(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    queue: &Queue,
    sender: &str,
    message: &SendMessage,
) -> Result<Value, ApiError> {
    let delay = message.delay_seconds;
    in_range("DelaySeconds", delay, 0..=900, 0, "DelaySeconds must be >= 0 and <= 900.")?;
    if let Some(id) = &message.message_deduplication_id {
        let reason = "The request includes a parameter that is not valid for this queue type.";
        return Err(invalid_value("MessageDeduplicationId", id, reason));
    }
    let new = New {
        sender,
        body: &message.message_body,
        attributes: &message.message_attributes,
        system_attributes: &message.message_system_attributes,
        group_id: message.message_group_id.as_deref(),
        delay,
    };
    check(queue, &new)?;
    let id = message::put(endpoint, tx, queue, &new, Utc::now().timestamp_millis())?;
    let mut output = json!({"MessageId": id, "MD5OfMessageBody": format!("{:x}", md5::compute(new.body))});
    for (member, attributes) in
        [("MD5OfMessageAttributes", new.attributes), ("MD5OfMessageSystemAttributes", new.system_attributes)]
    {
        if let Some(digest) = message_attribute::md5(attributes) {
            output[member] = json!(digest);
        }
    }
    Ok(output)
}

/// Refuses what the queue would not take.
fn check(queue: &Queue, new: &New<'_>) -> Result<(), ApiError> {
    if new.body.is_empty() {
        return Err(missing("MessageBody"));
    }
    message_attribute::check(new.attributes)?;
    if let Some(other) = new.system_attributes.keys().find(|name| *name != "AWSTraceHeader") {
        return Err(invalid(format!("Message system attribute name '{other}' is invalid.")));
    }
    check_characters(new.body)?;
    let limit = queue.settings.maximum_message_size;
    let size = new.body.len() + message_attribute::size(new.attributes);
    if i64::try_from(size).unwrap_or(i64::MAX) > limit {
        let reason = format!("One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.");
        return Err(invalid(reason));
    }
    Ok(())
}

/// Puts a message of a service into a queue whose policy lets it; `attributes` are name, data type and value.
///
/// # Errors
/// [`NO_QUEUE`](super::NO_QUEUE), `AccessDeniedException`, or what the queue refuses of the message itself.
pub(crate) fn deliver(
    tx: &Tx<'_>,
    endpoint: &Endpoint,
    queue_arn: &str,
    from: &Principal<'_>,
    body: &str,
    attributes: &[(&str, &str, &str)],
) -> Result<(), ApiError> {
    let queue = Queue::of_arn(endpoint, tx, queue_arn)?;
    let is_allowed = match &queue.settings.policy {
        Some(policy) => allows_service(&Value::String(policy.clone()), from, "sqs:SendMessage", queue_arn)?,
        None => false,
    };
    if !is_allowed {
        let Principal { service, source_arn } = from;
        let message = format!(
            "{service} is not authorized to perform: sqs:SendMessage on resource: {queue_arn} for {source_arn}: the \
             queue's policy does not allow it"
        );
        return Err(ApiError::new("AccessDeniedException", message).status(403));
    }
    put_text(tx, endpoint, &queue, from.service, body, attributes)
}

/// The same in a role, which the role's policies or the queue's have to allow.
///
/// # Errors
/// As [`deliver`].
pub(crate) fn deliver_as(
    tx: &Tx<'_>,
    endpoint: &Endpoint,
    queue_arn: &str,
    (role_arn, session_name): (&str, &str),
    body: &str,
    attributes: &[(&str, &str, &str)],
) -> Result<(), ApiError> {
    let queue = Queue::of_arn(endpoint, tx, queue_arn)?;
    let policy = queue.settings.policy.clone().map(Value::String);
    let context = BTreeMap::from([("sts:RoleSessionName".to_owned(), session_name.to_owned())]);
    authorize_with(tx, role_arn, "sqs:SendMessage", queue_arn, &context, policy.as_ref())?;
    let caller = Caller::Role { role_arn: role_arn.to_owned(), session_name: session_name.to_owned() };
    put_text(tx, endpoint, &queue, &user_id(tx, &caller)?, body, attributes)
}

fn put_text(
    tx: &Tx<'_>,
    endpoint: &Endpoint,
    queue: &Queue,
    sender: &str,
    body: &str,
    attributes: &[(&str, &str, &str)],
) -> Result<(), ApiError> {
    let attributes: Attributes = attributes
        .iter()
        .map(|(name, data_type, value)| ((*name).to_owned(), Attribute::text(data_type, value)))
        .collect();
    let none = BTreeMap::new();
    let new = New { sender, body, attributes: &attributes, system_attributes: &none, group_id: None, delay: None };
    check(queue, &new)?;
    message::put(endpoint, tx, queue, &new, Utc::now().timestamp_millis()).map(drop)
}
