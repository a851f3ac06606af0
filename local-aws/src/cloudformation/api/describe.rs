//! What stacks there are and what happened to them.

use std::cmp::Reverse;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloudformation::answer::iso;
use crate::cloudformation::answer::{listed, page};
use crate::cloudformation::drift::found;
use crate::cloudformation::event;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::request::{parameters_shown, tags_shown};
use crate::cloudformation::stack::{OnFailure, Stack};
use crate::cloudformation::status::StackStatus;
use crate::cloudformation::template::Output;
use crate::cloudformation::under_way::UnderWay;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct StackInput {
    stack_name: Option<String>,
    next_token: Option<String>,
}

pub(in crate::cloudformation) fn describe_stacks(
    endpoint: &Arc<Endpoint>,
    input: StackInput,
) -> Result<Value, ApiError> {
    let stacks = match input.stack_name {
        Some(name) => vec![endpoint.store.read(|tx| Stack::of(tx, &name))?],
        None => {
            let mut stacks = endpoint.store.read(Stack::alive)?;
            stacks.sort_by_key(place);
            stacks
        }
    };
    let (stacks, next) = page(stacks, place, input.next_token.as_deref())?;
    Ok(listed("Stacks", stacks.iter().map(description).collect(), next))
}

/// Newest first.
type Place = (Reverse<DateTime<Utc>>, String);

fn place(stack: &Stack) -> Place {
    (Reverse(stack.created_at), stack.stack_id.clone())
}

fn description(stack: &Stack) -> Value {
    let mut shown = times(stack);
    let target = &stack.target;
    let mut set = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(member.to_owned(), value);
        }
    };
    set("Description", target.description.clone().map(Value::from));
    // AWS shows neither of these two of a stack that is gone.
    let is_there = stack.status != StackStatus::DeleteComplete;
    set("ChangeSetId", stack.change_set_id.clone().filter(|_| is_there).map(Value::from));
    set("EnableTerminationProtection", is_there.then_some(json!(stack.termination_protection)));
    set("DeletionMode", stack.deletion_mode.clone().map(Value::from));
    set("RetainExceptOnCreate", stack.retain_except_on_create.then_some(Value::Bool(true)));
    set("Parameters", (!target.shown_parameters.is_empty()).then(|| parameters_shown(&target.shown_parameters)));
    set("Capabilities", (!target.capabilities.is_empty()).then(|| json!(target.capabilities)));
    set("Outputs", (!stack.outputs.is_empty()).then(|| stack.outputs.iter().map(output).collect()));
    set("Tags", Some(tags_shown(&target.tags)));
    set("RollbackConfiguration", Some(json!({})));
    set("NotificationARNs", Some(json!([])));
    set("DisableRollback", Some(json!(stack.on_failure == OnFailure::DoNothing)));
    set("DriftInformation", Some(found::of_stack(stack.drift.as_ref())));
    set("LastOperations", Some(json!([{"OperationType": stack.operation.kind, "OperationId": stack.operation.id}])));
    Value::Object(shown)
}

/// What both the description and the summary of a stack say.
fn times(stack: &Stack) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut set = |member: &str, value: Option<String>| {
        if let Some(value) = value {
            shown.insert(member.to_owned(), Value::String(value));
        }
    };
    set("StackId", Some(stack.stack_id.clone()));
    set("StackName", Some(stack.name.clone()));
    set("StackStatus", Some(stack.status.to_string()));
    set("StackStatusReason", stack.status_reason.clone());
    set("CreationTime", Some(iso(stack.created_at)));
    set("LastUpdatedTime", stack.updated_at.map(iso));
    set("DeletionTime", stack.deleted_at.map(iso));
    shown
}

fn output(output: &Output) -> Value {
    let mut shown = json!({"OutputKey": output.key, "OutputValue": output.value});
    if let Some(description) = &output.description {
        shown["Description"] = json!(description);
    }
    if let Some(name) = &output.export_name {
        shown["ExportName"] = json!(name);
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ListStacksInput {
    next_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    stack_status_filter: Vec<StackStatus>,
}

pub(in crate::cloudformation) fn list_stacks(
    endpoint: &Arc<Endpoint>,
    input: ListStacksInput,
) -> Result<Value, ApiError> {
    let filter = input.stack_status_filter;
    let mut stacks: Vec<(Place, Value)> = Vec::new();
    endpoint.store.read(|tx| {
        tx.each(|stack: Stack| {
            if filter.is_empty() || filter.contains(&stack.status) {
                stacks.push((place(&stack), summary(&stack)));
            }
        })
    })?;
    stacks.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (stacks, next) = page(stacks, |(place, _)| place.clone(), input.next_token.as_deref())?;
    Ok(listed("StackSummaries", stacks.into_iter().map(|(_, summary)| summary).collect(), next))
}

fn summary(stack: &Stack) -> Value {
    let mut shown = times(stack);
    if let Some(description) = &stack.target.description {
        shown.insert("TemplateDescription".to_owned(), json!(description));
    }
    shown.insert("DriftInformation".to_owned(), found::of_stack(stack.drift.as_ref()));
    Value::Object(shown)
}

pub(in crate::cloudformation) fn describe_stack_events(
    endpoint: &Arc<Endpoint>,
    input: StackInput,
) -> Result<Value, ApiError> {
    let name = input.stack_name.ok_or_else(|| invalid("StackName must be specified."))?;
    endpoint.store.read(|tx| {
        let stack = Stack::find(tx, &name)?.ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))?;
        endpoint.memory::<UnderWay>().check_held_up(&stack.stack_id)?;
        let (events, next) = event::page(tx, &stack.stack_id, input.next_token.as_deref())?;
        Ok(listed("StackEvents", events, next))
    })
}
