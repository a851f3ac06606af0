//! What is told of an event that was handled, or that could not be: destinations and the dead-letter queue.

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::function::Function;
use super::invocation::Outcome;
use super::name::LATEST;
use super::queue::Waiting;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// Why the event is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

/// Tells the queues that the function names for this end.
pub(super) fn hand_on(
    _tx: &Tx<'_>,
    _endpoint: &Endpoint,
    function: &Function,
    waiting: &Waiting,
    condition: Condition,
    outcome: Option<&Outcome>,
) -> Result<(), ApiError> {
    let _ = record(function, waiting, condition, outcome);
    Ok(())
}

/// The record of an event, as destinations get it.
fn record(function: &Function, waiting: &Waiting, condition: Condition, outcome: Option<&Outcome>) -> Value {
    let mut record = json!({
        "version": "1.0",
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "requestContext": {
            "requestId": waiting.request.id,
            "functionArn": format!("{}:{LATEST}", function.arn),
            "condition": condition.name(),
            "approximateInvokeCount": waiting.attempts,
        },
        "requestPayload": as_json(&waiting.request.payload),
    });
    if let Some(outcome) = outcome {
        record["responseContext"] = json!({"statusCode": 200, "executedVersion": LATEST});
        if outcome.is_error {
            record["responseContext"]["functionError"] = json!("Unhandled");
        }
        record["responsePayload"] = as_json(&outcome.payload);
    }
    record
}

/// What is no JSON, as a custom runtime may answer, is a text.
fn as_json(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| json!(String::from_utf8_lossy(payload)))
}
