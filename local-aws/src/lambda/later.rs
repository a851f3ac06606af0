//! Events that other services have for a function.

use std::sync::Arc;

use axum::body::Bytes;
use uuid::Uuid;

use super::invoke::MAX_EVENT;
use super::name;
use super::queue;
use super::refusal::refused;
use super::request::Request;
use super::waiting;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::{self, Principal};
use crate::store::Tx;

/// Accepts an event for the function, in the transaction of the caller, who calls [`wake`] when that is committed.
///
/// # Errors
/// ResourceNotFoundException (404) when there is no such function, AccessDeniedException (403) when its policy does not let
/// `from` invoke it, RequestTooLargeException (413).
pub(crate) fn invoke_later(
    tx: &Tx<'_>,
    endpoint: &Arc<Endpoint>,
    function_arn: &str,
    from: &Principal<'_>,
    payload: &str,
) -> Result<(), ApiError> {
    const ACTION: &str = "lambda:InvokeFunction";
    let function = name::find(endpoint, tx, function_arn, None)?;
    let is_allowed = match function.policy() {
        Some(policy) => iam::allows_service(&policy, from, ACTION, &function.arn)?,
        None => false,
    };
    if !is_allowed {
        return Err(refused(
            "AccessDeniedException",
            403,
            format!(
                "{} is not authorized to perform: {ACTION} on resource: {} for {}: the function's policy does not allow it",
                from.service, function.arn, from.source_arn
            ),
        ));
    }
    if payload.len() > MAX_EVENT {
        let message = format!("Request must be smaller than {MAX_EVENT} bytes for the InvokeFunction operation");
        return Err(refused("RequestTooLargeException", 413, message));
    }
    let payload = Bytes::from(payload.to_owned());
    let request = Request { id: Uuid::new_v4().to_string(), payload, client_context: None };
    waiting::put(tx, &function, &request)
}

/// Lets the events be handled that a transaction has accepted.
pub(crate) fn wake(endpoint: &Endpoint) {
    queue::wake(endpoint);
}
