//! ReceiveMessage: what there is, or what comes while the receiver waits.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::message::{self, Message};
use super::message_attribute;
use super::queue::{Queue, name_in_url};
use super::receipt::Receipt;
use super::refusal::{NO_QUEUE, in_range, invalid_value, unknown_attribute};
use super::waiters::Waiters;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    /// As the former were called once.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    receive_request_attempt_id: Option<String>,
}

/// What can be asked of a message beside what its sender has put on it.
const SYSTEM_ATTRIBUTES: &[&str] = &[
    "All",
    "AWSTraceHeader",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

impl ReceiveMessage {
    fn check(&self) -> Result<(), ApiError> {
        let timeout = self.visibility_timeout;
        in_range("VisibilityTimeout", timeout, 0..=43_200, 0, "Must be >= 0 and <= 43200, if provided.")?;
        in_range("WaitTimeSeconds", self.wait_time_seconds, 0..=20, 0, "Must be >= 0 and <= 20, if provided.")?;
        if let Some(id) = &self.receive_request_attempt_id {
            let reason = "The request includes a parameter that is not valid for this queue type.";
            return Err(invalid_value("ReceiveRequestAttemptId", id, reason));
        }
        let mut names = self.system_attribute_names();
        names.find(|name| !SYSTEM_ATTRIBUTES.contains(name)).map_or(Ok(()), |name| Err(unknown_attribute(name)))
    }

    fn limit(&self) -> Result<usize, ApiError> {
        let reason = "Must be between 1 and 10, if provided.";
        let limit = in_range("MaxNumberOfMessages", self.max_number_of_messages, 1..=10, 1, reason)?;
        Ok(usize::try_from(limit).unwrap_or(1))
    }

    fn system_attribute_names(&self) -> impl Iterator<Item = &str> {
        self.message_system_attribute_names.iter().chain(&self.attribute_names).map(String::as_str)
    }
}

/// What a look into the queue finds.
enum Found {
    /// In the shape of the answer.
    Messages(Vec<Value>),
    /// Nothing yet.
    Nothing {
        /// When there will be something, if nobody else takes it.
        next_at: Option<i64>,
        /// How long the queue would have a receiver wait who does not say.
        usual_wait: i64,
    },
}

pub(super) async fn receive_message(endpoint: Arc<Endpoint>, input: ReceiveMessage) -> Result<Value, ApiError> {
    input.check()?;
    input.limit()?;
    let name = name_in_url(&endpoint, &input.queue_url)?.to_owned();
    let waiters = Waiters::of(&endpoint, &name);
    let (input, begin) = (Arc::new(input), Instant::now());
    loop {
        // Before the look: what comes after it wakes.
        let news = waiters.notified();
        let (of, asked) = (Arc::clone(&endpoint), Arc::clone(&input));
        // A thread of its own, as every other call has: the store may be busy.
        let look = tokio::task::spawn_blocking(move || look(&of, &asked));
        let found = look.await.map_err(|error| ApiError::internal(format!("The queue was not looked at: {error}")))?;
        let (next_at, usual_wait) = match found {
            Ok(Found::Messages(messages)) => return Ok(json!({"Messages": messages})),
            Ok(Found::Nothing { next_at, usual_wait }) => (next_at, usual_wait),
            Err(error) => {
                if error.code == NO_QUEUE {
                    Waiters::dismiss(&endpoint, &name);
                }
                return Err(error);
            }
        };
        let wait = u64::try_from(input.wait_time_seconds.unwrap_or(usual_wait)).unwrap_or_default();
        let end = begin + Duration::from_secs(wait);
        if Instant::now() >= end {
            return Ok(json!({}));
        }
        tokio::select! {
            () = news => {}
            () = tokio::time::sleep_until(next_at.map_or(end, |at| end.min(instant(at)))) => {}
        }
    }
}

/// When the clock shows that time.
fn instant(at: i64) -> Instant {
    let left = u64::try_from(at - Utc::now().timestamp_millis()).unwrap_or_default();
    // The clock shows whole milliseconds: one more, so that it is past.
    Instant::now() + Duration::from_millis(left + 1)
}

fn look(endpoint: &Endpoint, input: &ReceiveMessage) -> Result<Found, ApiError> {
    let limit = input.limit()?;
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        let now = Utc::now().timestamp_millis();
        let visibility = input.visibility_timeout.unwrap_or(queue.settings.visibility_timeout);
        let taken = message::take(endpoint, tx, &queue, limit, visibility, now)?;
        if taken.is_empty() {
            let next_at = message::next_at(tx, &queue.name, now)?;
            return Ok(Found::Nothing { next_at, usual_wait: queue.settings.receive_message_wait_time_seconds });
        }
        Ok(Found::Messages(taken.iter().map(|(message, receipt)| show(message, receipt, input)).collect()))
    })
}

fn show(message: &Message, receipt: &Receipt, input: &ReceiveMessage) -> Value {
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": receipt.handle(),
        "MD5OfBody": format!("{:x}", md5::compute(&message.body)),
        "Body": message.body,
    });
    let system = system_attributes(message, input);
    if !system.is_empty() {
        shown["Attributes"] = system.into();
    }
    let is_asked = |name: &str| input.message_attribute_names.iter().any(|pattern| fits(pattern, name));
    let asked: message_attribute::Attributes = message
        .attributes
        .iter()
        .filter(|(name, _)| is_asked(name))
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect();
    if let Some(digest) = message_attribute::md5(&asked) {
        shown["MD5OfMessageAttributes"] = json!(digest);
        shown["MessageAttributes"] = json!(asked);
    }
    shown
}

/// Whether what is asked for is this attribute: by its name, by the beginning of it (`prefix.*`), or with all.
fn fits(pattern: &str, name: &str) -> bool {
    pattern == name
        || matches!(pattern, "All" | ".*")
        || pattern.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
}

fn system_attributes(message: &Message, input: &ReceiveMessage) -> Map<String, Value> {
    let all = [
        ("SenderId", Some(message.sender.clone())),
        ("SentTimestamp", Some(message.sent_at.to_string())),
        ("ApproximateReceiveCount", Some(message.receives.to_string())),
        ("ApproximateFirstReceiveTimestamp", message.first_received_at.map(|at| at.to_string())),
        ("DeadLetterQueueSourceArn", message.source_arn.clone()),
        ("MessageGroupId", message.group_id.clone()),
        (
            "AWSTraceHeader",
            message.system_attributes.get("AWSTraceHeader").and_then(|header| header.string_value.clone()),
        ),
    ];
    let is_asked = |name: &str| input.system_attribute_names().any(|asked| asked == name || asked == "All");
    all.into_iter()
        .filter(|(name, _)| is_asked(name))
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect()
}
