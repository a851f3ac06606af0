//! Invoke.

use std::sync::Arc;

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use uuid::Uuid;

use super::function::Function;
use super::invocation::{self, Outcome};
use super::name::{self, LATEST};
use super::queue;
use super::refusal::{constraint, not_found, refused};
use super::request::Request;
use super::waiting;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;

/// Largest events, in bytes.
const MAX_REQUEST: usize = 6 * 1024 * 1024;
pub(super) const MAX_EVENT: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Invoke {
    function_name: String,
    qualifier: Option<String>,
    invocation_type: Option<String>,
    log_type: Option<String>,
    client_context: Option<String>,
}

pub(super) async fn invoke(call: Call) -> Result<Value, ApiError> {
    let input: Invoke = call.decode()?;
    let endpoint = &call.endpoint;
    let is_tail = match input.log_type.as_deref() {
        None | Some("None") => false,
        Some("Tail") => true,
        Some(other) => return Err(constraint("logType", other, "satisfy enum value set: [None, Tail]")),
    };
    let kind = input.invocation_type.as_deref().unwrap_or("RequestResponse");
    let largest = match kind {
        "RequestResponse" => MAX_REQUEST,
        "Event" | "DryRun" => MAX_EVENT,
        other => {
            let rule = "satisfy enum value set: [Event, RequestResponse, DryRun]";
            return Err(constraint("invocationType", other, rule));
        }
    };
    check_payload(&call.body, largest)?;
    let function = endpoint.store.read(|tx| {
        let function = name::find(endpoint, tx, &input.function_name, input.qualifier.as_deref());
        function.map_err(|error| of_version(endpoint, &input.function_name, error))
    })?;
    match kind {
        "DryRun" => Ok(json!({"StatusCode": 204})),
        "Event" => {
            let request = request(call.body.clone(), input.client_context);
            endpoint.store.write(|tx| waiting::put(tx, &function, &request))?;
            queue::wake(endpoint);
            Ok(json!({"StatusCode": 202}))
        }
        _ => {
            if function.is_pending() {
                return Err(function.not_active());
            }
            // An endpoint that stops does not wait for a function.
            let request = request(call.body.clone(), input.client_context);
            let outcome = invocation::run(&Arc::clone(endpoint), &function, &request).await?;
            Ok(answer(&outcome, is_tail))
        }
    }
}

/// Of the version that was asked for, and not of the function: only this call says so.
fn of_version(endpoint: &Endpoint, identifier: &str, error: ApiError) -> ApiError {
    match name::of(endpoint, identifier) {
        Ok(name) if error.status == 404 && !error.message.contains(&format!("{name}:")) => {
            not_found(format!("Function not found: {}:{LATEST}", Function::arn_of(endpoint, name)))
        }
        _ => error,
    }
}

fn request(body: Bytes, client_context: Option<String>) -> Request {
    let payload = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    Request { id: Uuid::new_v4().to_string(), payload, client_context }
}

fn check_payload(payload: &Bytes, largest: usize) -> Result<(), ApiError> {
    if payload.len() > largest {
        let message = format!("Request must be smaller than {largest} bytes for the InvokeFunction operation");
        return Err(refused("RequestTooLargeException", 413, message));
    }
    if payload.is_empty() {
        return Ok(());
    }
    serde_json::from_slice::<IgnoredAny>(payload).map(drop).map_err(|error| {
        refused("InvalidRequestContentException", 400, format!("Could not parse request body into json: {error}"))
    })
}

fn answer(outcome: &Outcome, is_tail: bool) -> Value {
    let mut answer = json!({
        "StatusCode": 200,
        "ExecutedVersion": LATEST,
        "Payload": STANDARD.encode(&outcome.payload),
    });
    if outcome.is_error {
        answer["FunctionError"] = json!("Unhandled");
    }
    if is_tail {
        answer["LogResult"] = json!(STANDARD.encode(&outcome.tail));
    }
    answer
}
