//! What happened to a stack, newest first.

use chrono::Utc;
use rusqlite::params;
use serde_json::{Value, json};

use super::resources::Properties;
use super::stack::Stack;
use super::{invalid, iso};
use crate::error::ApiError;
use crate::store::Tx;

/// How many events a page of DescribeStackEvents has.
const PAGE: usize = 100;

/// Something that happened to a stack or to a resource of it.
pub(super) struct Event<'a> {
    pub(super) logical_id: &'a str,
    pub(super) physical_id: Option<&'a str>,
    pub(super) resource_type: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) properties: Option<&'a Properties>,
}

/// Adds the event in the caller's transaction.
pub(super) fn record(tx: &Tx<'_>, stack: &Stack, event: Event<'_>) -> Result<(), ApiError> {
    let unique = uuid::Uuid::new_v4();
    // Events of the stack itself have a plain id, events of resources say what they are about.
    let event_id = match event.properties {
        None => unique.to_string(),
        Some(_) => format!("{}-{}-{unique}", event.logical_id, event.status),
    };
    let mut body = json!({
        "StackId": stack.stack_id,
        "EventId": event_id,
        "StackName": stack.name,
        "OperationId": stack.operation.id,
        "LogicalResourceId": event.logical_id,
        // AWS sends an empty element until the resource has an id.
        "PhysicalResourceId": event.physical_id.unwrap_or_default(),
        "ResourceType": event.resource_type,
        "Timestamp": iso(Utc::now()),
        "ResourceStatus": event.status,
    });
    if let Some(reason) = event.reason {
        body["ResourceStatusReason"] = json!(reason);
    }
    if let Some(properties) = event.properties {
        body["ResourceProperties"] = json!(serde_json::to_string(properties)?);
    }
    if let Some(token) = &stack.operation.token {
        body["ClientRequestToken"] = json!(token);
    }
    tx.sql()
        .prepare_cached("INSERT INTO stack_event (stack_id, body) VALUES (?, ?)")?
        .execute(params![stack.stack_id, body.to_string()])?;
    Ok(())
}

/// One page of a stack's events, newest first, and the token of the next.
pub(super) fn page(tx: &Tx<'_>, stack_id: &str, token: Option<&str>) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let before: i64 = match token {
        None => i64::MAX,
        Some(token) => token.parse().map_err(|_| invalid(format!("The NextToken {token} is not valid")))?,
    };
    let mut statement = tx.sql().prepare_cached(
        "SELECT sequence, body FROM stack_event WHERE stack_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
    )?;
    let rows = statement
        .query_map(params![stack_id, before, PAGE + 1], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let next = (rows.len() > PAGE).then(|| rows[PAGE - 1].0.to_string());
    let events =
        rows.iter().take(PAGE).map(|(_, body)| serde_json::from_str(body)).collect::<Result<Vec<Value>, _>>()?;
    Ok((events, next))
}
