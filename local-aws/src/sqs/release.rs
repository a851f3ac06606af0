//! What a receiver does with a message that he has: DeleteMessage and ChangeMessageVisibility.

use chrono::Utc;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{Addressed, Batch};
use super::message::delete_expired;
use super::queue::Queue;
use super::receipt::Receipt;
use super::refusal::{in_range, invalid_value};
use super::waiters::tell;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// How long a receiver may keep a message altogether, in milliseconds.
const LONGEST: i64 = 43_200_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteMessage {
    receipt_handle: String,
}

pub(super) fn delete_message(endpoint: &Endpoint, input: &Addressed<DeleteMessage>) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| delete(tx, &Queue::at(endpoint, tx, &input.queue_url)?, &input.what))
}

pub(super) fn delete_message_batch(endpoint: &Endpoint, input: &Batch<DeleteMessage>) -> Result<Value, ApiError> {
    input.check("DeleteMessageBatchRequestEntry")?;
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        input.each(|entry| delete(tx, &queue, entry))
    })
}

/// Deletes the message, also after its timeout, unless somebody else has it by now: then nothing happens, and nobody is told.
fn delete(tx: &Tx<'_>, queue: &Queue, input: &DeleteMessage) -> Result<Value, ApiError> {
    let receipt = Receipt::read(&input.receipt_handle, queue)?;
    tx.sql()
        .prepare_cached("DELETE FROM sqs_message WHERE sequence = ? AND queue = ? AND receipt = ?")?
        .execute(params![receipt.sequence, queue.name, receipt.number])?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibility {
    receipt_handle: String,
    /// A member of every request, but not of every entry.
    #[serde(default)]
    visibility_timeout: i64,
}

pub(super) fn change_message_visibility(
    endpoint: &Endpoint,
    input: &Addressed<ChangeMessageVisibility>,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| change(endpoint, tx, &Queue::at(endpoint, tx, &input.queue_url)?, &input.what))
}

pub(super) fn change_message_visibility_batch(
    endpoint: &Endpoint,
    input: &Batch<ChangeMessageVisibility>,
) -> Result<Value, ApiError> {
    input.check("ChangeMessageVisibilityBatchRequestEntry")?;
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        input.each(|entry| change(endpoint, tx, &queue, entry))
    })
}

/// Lets the receiver keep the message for so long from now on; also one whose timeout is over, unless somebody else has it.
fn change(endpoint: &Endpoint, tx: &Tx<'_>, queue: &Queue, input: &ChangeMessageVisibility) -> Result<Value, ApiError> {
    let (timeout, now) = (input.visibility_timeout, Utc::now().timestamp_millis());
    let reason = "VisibilityTimeout must be an integer between 0 and 43200.";
    in_range("VisibilityTimeout", Some(timeout), 0..=43_200, 0, reason)?;
    let receipt = Receipt::read(&input.receipt_handle, queue)?;
    delete_expired(tx, queue, now)?;
    let received_at: Option<i64> = tx
        .sql()
        .prepare_cached("SELECT received_at FROM sqs_message WHERE sequence = ? AND queue = ? AND receipt = ?")?
        .query_row(params![receipt.sequence, queue.name, receipt.number], |row| row.get(0))
        .optional()?;
    let Some(received_at) = received_at else {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        return Err(invalid_value("ReceiptHandle", &input.receipt_handle, reason));
    };
    let visible_at = now + timeout * 1_000;
    if visible_at - received_at > LONGEST {
        let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
        return Err(invalid_value("VisibilityTimeout", timeout, reason));
    }
    tx.sql()
        .prepare_cached("UPDATE sqs_message SET visible_at = ? WHERE sequence = ?")?
        .execute(params![visible_at, receipt.sequence])?;
    tell(endpoint, &queue.name, visible_at, now);
    Ok(json!({}))
}
