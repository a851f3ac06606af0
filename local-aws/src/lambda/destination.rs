//! What is told of an event that was handled, or that could not be: destinations and the dead-letter queue.

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::function::Function;
use super::invocation::Outcome;
use super::name::LATEST;
use super::waiting::Waiting;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::sqs;
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

/// Tells the queues that the function names for this end. One that is gone, or that the function's role may not send to,
/// is not told, as on AWS.
pub(super) fn hand_on(
    tx: &Tx<'_>,
    endpoint: &Endpoint,
    function: &Function,
    waiting: &Waiting,
    condition: Condition,
    outcome: Option<&Outcome>,
) -> Result<(), ApiError> {
    let config = function.event_invoke_config.as_ref();
    let destination = match condition {
        Condition::Success => config.and_then(|config| config.on_success.as_ref()),
        _ => config.and_then(|config| config.on_failure.as_ref()),
    };
    let tell = |queue: &str, body: &str, attributes: &[(&str, &str, &str)]| match sqs::deliver_as(
        tx,
        endpoint,
        queue,
        (&function.settings.role, &function.name),
        body,
        attributes,
    ) {
        Err(error) if error.status < 500 => {
            tracing::warn!(%error, queue, request = waiting.request.id, "the end of an event is told to nobody");
            Ok(())
        }
        result => result,
    };
    if let Some(queue) = destination {
        tell(queue, &record(function, waiting, condition, outcome).to_string(), &[])?;
    }
    match &function.settings.dead_letter {
        Some(queue) if condition != Condition::Success => {
            let event = String::from_utf8_lossy(&waiting.request.payload);
            let message = outcome.map_or_else(|| "Event age exceeded".to_owned(), error_message);
            tell(queue, &event, &dead_letter_attributes(&waiting.request.id, outcome.is_some(), &message))
        }
        _ => Ok(()),
    }
}

fn dead_letter_attributes<'a>(
    request_id: &'a str,
    was_handled: bool,
    message: &'a str,
) -> [(&'static str, &'static str, &'a str); 3] {
    [
        ("RequestID", "String", request_id),
        ("ErrorCode", "Number", if was_handled { "200" } else { "429" }),
        ("ErrorMessage", "String", message),
    ]
}

/// The first kilobyte of what the function said.
fn error_message(outcome: &Outcome) -> String {
    let body = as_json(&outcome.payload);
    let message = body["errorMessage"].as_str().map_or_else(|| body.to_string(), str::to_owned);
    message[..message.floor_char_boundary(1024)].to_owned()
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
