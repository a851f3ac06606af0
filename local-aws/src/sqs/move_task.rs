//! A task that moves the messages of a dead-letter queue: its record, and what it does in the background.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::message::{self, Message};
use super::queue::Queue;
use super::refusal::query_code;
use super::waiters::tell;
use crate::background;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// How many messages a step moves when nobody has said how many a second; others may use the store between two steps.
const STEP: u32 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Running,
    Completed,
    Cancelled,
    Failed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MoveTask {
    pub(super) id: String,
    pub(super) source_arn: String,
    /// The queues that the messages come from when there is none.
    pub(super) destination_arn: Option<String>,
    pub(super) per_second: Option<NonZeroU32>,
    pub(super) status: Status,
    pub(super) moved: i64,
    /// How many there were to move when it began.
    pub(super) to_move: i64,
    pub(super) failure_reason: Option<String>,
    pub(super) started_at: DateTime<Utc>,
}

impl Record for MoveTask {
    const KIND: &'static str = "sqs.move-task";
    /// Those of a queue follow one another, in the order in which they began.
    fn id(&self) -> String {
        format!("{}/{:020}/{}", self.source_arn, self.started_at.timestamp_micros(), self.id)
    }
}

impl MoveTask {
    pub(super) fn new(source_arn: &str, destination_arn: Option<String>, per_second: Option<NonZeroU32>) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            source_arn: source_arn.to_owned(),
            destination_arn,
            per_second,
            status: Status::Running,
            moved: 0,
            to_move: 0,
            failure_reason: None,
            started_at: Utc::now(),
        }
    }

    /// All of a queue, the oldest first.
    pub(super) fn of_queue(tx: &Tx<'_>, source_arn: &str) -> Result<Vec<Self>, ApiError> {
        tx.list_prefix(&format!("{source_arn}/"))
    }

    pub(super) fn handle(&self) -> String {
        STANDARD.encode(json!({"taskId": self.id, "sourceArn": self.source_arn}).to_string())
    }

    /// Begins to move messages in the background, until there are none or somebody ends it.
    pub(super) fn begin(&self, endpoint: &Arc<Endpoint>) {
        let (endpoint, id) = (Arc::clone(endpoint), Record::id(self));
        background::drive(format!("moving the messages of {}", self.source_arn), move || {
            let (endpoint, id) = (Arc::clone(&endpoint), id.clone());
            async move {
                let step = || endpoint.store.write(|tx| step(&endpoint, tx, &id));
                loop {
                    match step() {
                        Ok(Some(pause)) => tokio::time::sleep(pause).await,
                        Ok(None) => return,
                        Err(error) => {
                            tracing::warn!(%error, "messages were not moved");
                            tokio::time::sleep(Duration::from_secs(1)).await;
                        }
                    }
                }
            }
        });
    }
}

/// The queue in a handle.
pub(super) fn source_in_handle(handle: &str) -> Option<String> {
    let handle: Value = serde_json::from_slice(&STANDARD.decode(handle).ok()?).ok()?;
    handle["sourceArn"].as_str().map(str::to_owned)
}

/// Moves some messages; how long to wait for the next, if there are any.
fn step(endpoint: &Endpoint, tx: &Tx<'_>, id: &str) -> Result<Option<Duration>, ApiError> {
    let Some(mut task) = tx.get::<MoveTask>(id)?.filter(|task| task.status == Status::Running) else {
        return Ok(None);
    };
    // Ten steps a second, or as many as there are messages to move.
    let number = task.per_second.map_or(STEP, |rate| rate.get().div_ceil(10));
    match some(endpoint, tx, &task, number) {
        Ok(0) => task.status = Status::Completed,
        Ok(moved) => task.moved += moved,
        Err(error) if error.status >= 500 => return Err(error),
        Err(error) => {
            task.status = Status::Failed;
            task.failure_reason = Some(query_code(&error.code).to_owned());
        }
    }
    tx.put(&task)?;
    let pause = task.per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(number.into()) / rate.get());
    Ok((task.status == Status::Running).then_some(pause))
}

/// Moves so many messages, or as many as there are.
fn some(endpoint: &Endpoint, tx: &Tx<'_>, task: &MoveTask, number: u32) -> Result<i64, ApiError> {
    let now = Utc::now().timestamp_millis();
    let source = Queue::of_arn(endpoint, tx, &task.source_arn)?;
    let messages = message::visible(tx, &source, number as usize, now)?;
    let mut moved = 0;
    for message in &messages {
        let to = task.destination_arn.as_ref().or(message.source_arn.as_ref());
        let to =
            to.ok_or_else(|| ApiError::new("CouldNotDetermineMessageSource", "The message has come from nowhere."));
        match to.and_then(|arn| Queue::of_arn(endpoint, tx, arn)) {
            Ok(to) => send_on(endpoint, tx, message, &to, now)?,
            // What was moved before it is moved; the next step fails.
            Err(error) if moved > 0 && error.status < 500 => break,
            Err(error) => return Err(error),
        }
        moved += 1;
    }
    Ok(moved)
}

/// In the other queue it is a new message.
fn send_on(endpoint: &Endpoint, tx: &Tx<'_>, message: &Message, to: &Queue, now: i64) -> Result<(), ApiError> {
    tx.sql()
        .prepare_cached(
            "UPDATE sqs_message SET queue = ?1, id = ?2, sent_at = ?3, visible_at = ?3, receives = 0,
             receives_elsewhere = 0, first_received_at = NULL, received_at = NULL, receipt = NULL, source_arn = NULL
             WHERE sequence = ?4",
        )?
        .execute(params![to.name, Uuid::new_v4().to_string(), now, message.sequence])?;
    tell(endpoint, &to.name, now, now);
    Ok(())
}
