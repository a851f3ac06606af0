//! What happened to a stack, newest first.
//!
//! One table holds the events of both DescribeStackEvents and DescribeEvents. Those with an `EventType` are of the second
//! only: early validation, and the making of change sets.

use chrono::Utc;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::iso;
use super::refusal::bad_token;
use super::resources::Properties;
use crate::error::ApiError;
use crate::store::Tx;

/// How many events a page has.
const PAGE: usize = 100;

/// An operation on a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Operation {
    pub(super) id: String,
    /// `CREATE_STACK`, `UPDATE_STACK`, `DELETE_STACK`, `CONTINUE_ROLLBACK` or `ROLLBACK`.
    pub(super) kind: String,
    /// The client's token: the same request sent twice is one operation.
    pub(super) token: Option<String>,
}

impl Operation {
    pub(super) fn new(kind: &str, token: Option<String>) -> Self {
        Self { id: uuid::Uuid::new_v4().to_string(), kind: kind.to_owned(), token }
    }
}

/// Whose events they are, and of which operation.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) stack_id: &'a str,
    pub(super) stack_name: &'a str,
    pub(super) operation: &'a Operation,
}

/// Something that happened to a stack or to a resource of it.
pub(super) struct Event<'a> {
    pub(super) logical_id: &'a str,
    pub(super) physical_id: Option<&'a str>,
    pub(super) resource_type: &'a str,
    pub(super) status: &'a str,
    pub(super) detailed_status: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) properties: Option<&'a Properties>,
}

/// Adds the event in the caller's transaction.
pub(super) fn record(tx: &Tx<'_>, origin: Origin<'_>, event: Event<'_>) -> Result<(), ApiError> {
    let unique = uuid::Uuid::new_v4();
    // Events of the stack itself have a plain id, events of resources say what they are about.
    let event_id = match event.properties {
        None => unique.to_string(),
        Some(_) => format!("{}-{}-{unique}", event.logical_id, event.status),
    };
    let mut body = json!({
        "StackId": origin.stack_id,
        "EventId": event_id,
        "StackName": origin.stack_name,
        "OperationId": origin.operation.id,
        "OperationType": origin.operation.kind,
        "LogicalResourceId": event.logical_id,
        // AWS sends an empty element until the resource has an id.
        "PhysicalResourceId": event.physical_id.unwrap_or_default(),
        "ResourceType": event.resource_type,
        "Timestamp": iso(Utc::now()),
        "ResourceStatus": event.status,
    });
    if let Some(detailed) = event.detailed_status {
        body["DetailedStatus"] = json!(detailed);
    }
    if let Some(reason) = event.reason {
        body["ResourceStatusReason"] = json!(reason);
    }
    if let Some(properties) = event.properties {
        body["ResourceProperties"] = json!(serde_json::to_string(properties)?);
    }
    if let Some(token) = &origin.operation.token {
        body["ClientRequestToken"] = json!(token);
    }
    insert(tx, origin.stack_id, &body)
}

/// Adds an event of an operation that is none of the stack's own states, with these members.
pub(super) fn record_operation(
    tx: &Tx<'_>,
    stack_id: &str,
    operation: &Operation,
    members: Value,
) -> Result<(), ApiError> {
    let mut body = json!({
        "EventId": uuid::Uuid::new_v4().to_string(),
        "StackId": stack_id,
        "OperationId": operation.id,
        "OperationType": operation.kind,
        "Timestamp": iso(Utc::now()),
    });
    if let (Value::Object(body), Value::Object(members)) = (&mut body, members) {
        body.extend(members);
    }
    insert(tx, stack_id, &body)
}

fn insert(tx: &Tx<'_>, stack_id: &str, body: &Value) -> Result<(), ApiError> {
    tx.sql()
        .prepare_cached("INSERT INTO stack_event (stack_id, body) VALUES (?, ?)")?
        .execute(params![stack_id, body.to_string()])?;
    Ok(())
}

/// One page of a stack's events, newest first, and the token of the next.
pub(super) fn page(tx: &Tx<'_>, stack_id: &str, token: Option<&str>) -> Result<(Vec<Value>, Option<String>), ApiError> {
    page_of(tx, Some(stack_id), token, |mut event| {
        let members = event.as_object_mut()?;
        members.remove("OperationType");
        (!members.contains_key("EventType")).then_some(event)
    })
}

/// One page of the events of a stack, or of all, newest first, as `shown` makes them, and the token of the next.
pub(super) fn page_of(
    tx: &Tx<'_>,
    stack_id: Option<&str>,
    token: Option<&str>,
    shown: impl Fn(Value) -> Option<Value>,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let before: i64 = match token {
        None => i64::MAX,
        Some(token) => token.parse().map_err(|_| bad_token(token))?,
    };
    // One text for each, so that the index of stacks serves the first.
    let mut statement = tx.sql().prepare_cached(match stack_id {
        Some(_) => {
            "SELECT sequence, body FROM stack_event WHERE stack_id = ?1 AND sequence < ?2 ORDER BY sequence DESC"
        }
        None => "SELECT sequence, body FROM stack_event WHERE ?1 IS NULL AND sequence < ?2 ORDER BY sequence DESC",
    })?;
    let mut rows = statement.query(params![stack_id, before])?;
    let (mut events, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let Some(event) = shown(serde_json::from_str(&row.get::<_, String>(1)?)?) else { continue };
        if events.len() == PAGE {
            return Ok((events, last));
        }
        events.push(event);
        last = Some(row.get::<_, i64>(0)?.to_string());
    }
    Ok((events, None))
}
