//! The messages of a queue: rows of their own table. Times are milliseconds since 1970.

use rusqlite::Error::FromSqlConversionFailure;
use rusqlite::types::Type;
use rusqlite::{Row, params};
use uuid::Uuid;

use super::message_attribute::Attributes;
use super::queue::Queue;
use super::receipt::Receipt;
use super::waiters::tell;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// What a sender gives.
pub(super) struct New<'a> {
    pub(super) sender: &'a str,
    pub(super) body: &'a str,
    pub(super) attributes: &'a Attributes,
    pub(super) system_attributes: &'a Attributes,
    pub(super) group_id: Option<&'a str>,
    /// Seconds; as the queue says when it is not given.
    pub(super) delay: Option<i64>,
}

/// A message as it is handed out.
pub(super) struct Message {
    pub(super) sequence: i64,
    pub(super) id: String,
    pub(super) sent_at: i64,
    pub(super) first_received_at: Option<i64>,
    /// How often it was handed out: by this queue, and by those that it was in before.
    pub(super) receives: i64,
    pub(super) receives_elsewhere: i64,
    pub(super) sender: String,
    /// The queue that has made a dead letter of it.
    pub(super) source_arn: Option<String>,
    pub(super) group_id: Option<String>,
    pub(super) body: String,
    pub(super) attributes: Attributes,
    pub(super) system_attributes: Attributes,
}

impl Message {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let attributes = |column: &str| -> rusqlite::Result<Attributes> {
            serde_json::from_str(&row.get::<_, String>(column)?)
                .map_err(|error| FromSqlConversionFailure(0, Type::Text, Box::new(error)))
        };
        Ok(Self {
            sequence: row.get("sequence")?,
            id: row.get("id")?,
            sent_at: row.get("sent_at")?,
            first_received_at: row.get("first_received_at")?,
            receives: row.get("receives")?,
            receives_elsewhere: row.get("receives_elsewhere")?,
            sender: row.get("sender")?,
            source_arn: row.get("source_arn")?,
            group_id: row.get("group_id")?,
            body: row.get("body")?,
            attributes: attributes("attributes")?,
            system_attributes: attributes("system_attributes")?,
        })
    }
}

/// Puts a message into a queue; gives its id.
pub(super) fn put(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    queue: &Queue,
    new: &New<'_>,
    now: i64,
) -> Result<String, ApiError> {
    let id = Uuid::new_v4().to_string();
    let visible_at = now + new.delay.unwrap_or(queue.settings.delay_seconds) * 1_000;
    tx.sql()
        .prepare_cached(
            "INSERT INTO sqs_message (queue, id, sent_at, visible_at, sender, group_id, body, attributes, system_attributes)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            queue.name,
            id,
            now,
            visible_at,
            new.sender,
            new.group_id,
            new.body,
            serde_json::to_string(new.attributes)?,
            serde_json::to_string(new.system_attributes)?
        ])?;
    tell(endpoint, &queue.name, visible_at, now);
    Ok(id)
}

/// Deletes what is older than the queue keeps its messages.
pub(super) fn delete_expired(tx: &Tx<'_>, queue: &Queue, now: i64) -> Result<(), ApiError> {
    tx.sql()
        .prepare_cached("DELETE FROM sqs_message WHERE queue = ? AND sent_at < ?")?
        .execute(params![queue.name, now - queue.settings.message_retention_period * 1_000])?;
    Ok(())
}

/// Deletes all messages of a queue.
pub(super) fn delete_all(tx: &Tx<'_>, queue: &str) -> Result<(), ApiError> {
    tx.sql().prepare_cached("DELETE FROM sqs_message WHERE queue = ?")?.execute(params![queue])?;
    Ok(())
}

/// The oldest messages that can be had, with the receipts under which they are handed out now; as many as there are, or
/// `limit`. Nobody else gets them for the next `visibility` seconds.
///
/// As often as the queue's redrive policy says they have been handed out before: then they go to the dead-letter queue.
pub(super) fn take(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    queue: &Queue,
    limit: usize,
    visibility: i64,
    now: i64,
) -> Result<Vec<(Message, Receipt)>, ApiError> {
    delete_expired(tx, queue, now)?;
    let messages = loop {
        let messages = visible(tx, queue, limit, now)?;
        if !bury(endpoint, tx, queue, &messages, now)? {
            break messages;
        }
    };
    let visible_at = now + visibility * 1_000;
    let is_full = messages.len() == limit;
    let mut hand_out = tx.sql().prepare_cached(
        "UPDATE sqs_message SET receives = receives + 1, visible_at = ?1, receipt = ?2, received_at = ?3,
         first_received_at = COALESCE(first_received_at, ?3) WHERE sequence = ?4",
    )?;
    let mut handed_out = Vec::with_capacity(messages.len());
    for mut message in messages {
        let receipt = Receipt::new(&queue.name, message.sequence);
        hand_out.execute(params![visible_at, receipt.number, now, message.sequence])?;
        message.receives += 1;
        message.first_received_at.get_or_insert(now);
        handed_out.push((message, receipt));
    }
    if is_full {
        tell(endpoint, &queue.name, now, now);
    }
    if !handed_out.is_empty() {
        tell(endpoint, &queue.name, visible_at, now);
    }
    Ok(handed_out)
}

/// The oldest that can be had.
pub(super) fn visible(tx: &Tx<'_>, queue: &Queue, limit: usize, now: i64) -> Result<Vec<Message>, ApiError> {
    let mut select = tx.sql().prepare_cached(
        "SELECT * FROM sqs_message WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, sequence LIMIT ?",
    )?;
    let rows = select.query_map(params![queue.name, now, limit], Message::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves those to the dead-letter queue that were handed out often enough; whether there were any.
fn bury(endpoint: &Endpoint, tx: &Tx<'_>, queue: &Queue, messages: &[Message], now: i64) -> Result<bool, ApiError> {
    let Some(policy) = &queue.settings.redrive_policy else { return Ok(false) };
    let is_dead = |it: &&Message| it.receives - it.receives_elsewhere >= policy.max_receive_count;
    let dead: Vec<&Message> = messages.iter().filter(is_dead).collect();
    if dead.is_empty() {
        return Ok(false);
    }
    // Without the queue, there is nowhere to go.
    let Ok(target) = Queue::of_arn(endpoint, tx, &policy.dead_letter_target_arn) else { return Ok(false) };
    let mut update = tx.sql().prepare_cached(
        "UPDATE sqs_message SET queue = ?, source_arn = ?, visible_at = ?, receives_elsewhere = receives, receipt = NULL,
         received_at = NULL WHERE sequence = ?",
    )?;
    for message in dead {
        update.execute(params![target.name, queue.arn(endpoint), now, message.sequence])?;
        tell(endpoint, &target.name, now, now);
    }
    Ok(true)
}

/// When the next message of the queue can be had that cannot be had now.
pub(super) fn next_at(tx: &Tx<'_>, queue: &str, now: i64) -> Result<Option<i64>, ApiError> {
    let mut select =
        tx.sql().prepare_cached("SELECT MIN(visible_at) FROM sqs_message WHERE queue = ? AND visible_at > ?")?;
    Ok(select.query_row(params![queue, now], |row| row.get(0))?)
}

/// How many messages a queue has.
pub(super) struct Counts {
    pub(super) visible: i64,
    /// Handed out, and not yet again to be had.
    pub(super) in_flight: i64,
    /// Not handed out, and not yet to be had.
    pub(super) delayed: i64,
}

impl Counts {
    pub(super) fn of(tx: &Tx<'_>, queue: &str, now: i64) -> Result<Self, ApiError> {
        let mut select = tx.sql().prepare_cached(
            "SELECT (SELECT COUNT(*) FROM sqs_message WHERE queue = ?1 AND visible_at <= ?2),
             (SELECT COUNT(receipt) FROM sqs_message WHERE queue = ?1 AND visible_at > ?2),
             (SELECT COUNT(*) FROM sqs_message WHERE queue = ?1 AND visible_at > ?2)",
        )?;
        let read = |row: &Row<'_>| -> rusqlite::Result<Self> {
            let (in_flight, hidden): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Self { visible: row.get(0)?, in_flight, delayed: hidden - in_flight })
        };
        Ok(select.query_row(params![queue, now], read)?)
    }
}
