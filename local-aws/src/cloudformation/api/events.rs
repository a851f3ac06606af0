//! DescribeEvents: the events of a stack, of a change set or of one operation, with what early validation found.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloudformation::answer::listed;
use crate::cloudformation::change_set;
use crate::cloudformation::event;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::stack::Stack;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct DescribeEventsInput {
    stack_name: Option<String>,
    change_set_name: Option<String>,
    operation_id: Option<String>,
    filters: Option<EventFilter>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EventFilter {
    #[serde(default, deserialize_with = "crate::wire::flag")]
    failed_events: Option<bool>,
}

pub(in crate::cloudformation) fn describe_events(
    endpoint: &Arc<Endpoint>,
    input: DescribeEventsInput,
) -> Result<Value, ApiError> {
    let failed_only = input.filters.as_ref().and_then(|filters| filters.failed_events).unwrap_or(false);
    endpoint.store.read(|tx| {
        let (stack_id, operation_id) = scope(tx, &input)?;
        let of_operation = |event: &Value| operation_id.as_ref().is_none_or(|id| event["OperationId"] == **id);
        let shown = |event: Value| {
            let event = of_operation(&event).then(|| shown(event))?;
            (!failed_only || is_failure(&event)).then_some(event)
        };
        let (events, next) = event::page_of(tx, stack_id.as_deref(), input.next_token.as_deref(), shown)?;
        Ok(listed("OperationEvents", events, next))
    })
}

/// The stack and the operation whose events are asked for.
fn scope(tx: &Tx<'_>, input: &DescribeEventsInput) -> Result<(Option<String>, Option<String>), ApiError> {
    if let Some(name) = &input.change_set_name {
        let set = change_set::find(tx, name, input.stack_name.as_deref())?;
        return Ok((Some(set.stack_id), Some(set.operation_id)));
    }
    let stack_id = match &input.stack_name {
        Some(name) => {
            let stack = Stack::find(tx, name)?.ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))?;
            Some(stack.stack_id)
        }
        None if input.operation_id.is_none() => {
            return Err(invalid("At least one of StackName, ChangeSetName or OperationId must be specified."));
        }
        None => None,
    };
    Ok((stack_id, input.operation_id.clone()))
}

/// A stack's event as this call shows it: with its kind, and without what only DescribeStackEvents has.
fn shown(mut event: Value) -> Value {
    if event.get("EventType").is_some() {
        return event;
    }
    let status = event["ResourceStatus"].as_str().unwrap_or_default().to_owned();
    let is_stack = event["ResourceType"] == "AWS::CloudFormation::Stack";
    event["EventType"] = json!(match status.as_str() {
        _ if is_stack => "STACK_EVENT",
        status if status.ends_with("_FAILED") => "PROVISIONING_ERROR",
        _ => "PROGRESS_EVENT",
    });
    if is_stack {
        event["OperationStatus"] = json!(outcome(&status, event["OperationType"].as_str().unwrap_or_default()));
    }
    if let Some(members) = event.as_object_mut() {
        members.remove("StackName");
    }
    event
}

/// What a stack's status says of its operation: one that was rolled back has failed, unless that was what it was for.
fn outcome(status: &str, operation_type: &str) -> &'static str {
    let rolls_back = matches!(operation_type, "ROLLBACK" | "CONTINUE_ROLLBACK");
    match status {
        status if status.ends_with("_IN_PROGRESS") => "IN_PROGRESS",
        status if status.ends_with("_FAILED") => "FAILED",
        "ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" if !rolls_back => "FAILED",
        _ => "SUCCEEDED",
    }
}

fn is_failure(event: &Value) -> bool {
    matches!(event["EventType"].as_str(), Some("VALIDATION_ERROR" | "PROVISIONING_ERROR"))
        || event["OperationStatus"] == "FAILED"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_was_rolled_back_has_failed_unless_that_was_asked_for() {
        assert_eq!(outcome("UPDATE_IN_PROGRESS", "UPDATE_STACK"), "IN_PROGRESS");
        assert_eq!(outcome("UPDATE_COMPLETE", "UPDATE_STACK"), "SUCCEEDED");
        assert_eq!(outcome("UPDATE_ROLLBACK_COMPLETE", "UPDATE_STACK"), "FAILED");
        assert_eq!(outcome("UPDATE_ROLLBACK_COMPLETE", "CONTINUE_ROLLBACK"), "SUCCEEDED");
        assert_eq!(outcome("DELETE_FAILED", "DELETE_STACK"), "FAILED");
    }
}
