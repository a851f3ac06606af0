//! DescribeChangeSet, ListChangeSets, DeleteChangeSet.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ChangeSet, changes, find, of_stack};
use crate::cloudformation::answer::iso;
use crate::cloudformation::answer::{listed, page};
use crate::cloudformation::drift::found::Status;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::request::{parameters_shown, tags_shown};
use crate::cloudformation::stack::{OnFailure, Stack};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ChangeSetInput {
    change_set_name: String,
    stack_name: Option<String>,
    next_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    include_property_values: Option<bool>,
}

pub(in crate::cloudformation) fn describe_change_set(
    endpoint: &Arc<Endpoint>,
    input: ChangeSetInput,
) -> Result<Value, ApiError> {
    let set = endpoint.store.read(|tx| find(tx, &input.change_set_name, input.stack_name.as_deref()))?;
    // A change set does not change, so a place in it is a key.
    let numbered = set.changes.iter().enumerate().collect();
    let (numbered, next) = page(numbered, |(place, _)| *place, input.next_token.as_deref())?;
    let with_values = input.include_property_values == Some(true);
    let show = |change: &Value| if with_values { change.clone() } else { changes::without_values(change) };
    let shown_changes: Vec<Value> = numbered.into_iter().map(|(_, change)| show(change)).collect();
    let mut shown = summary(&set);
    let mut set_member = |member: &str, value: Value| shown.insert(member.to_owned(), value);
    // AWS leaves these out where there are none, and shows the other lists empty.
    if !set.target.shown_parameters.is_empty() {
        set_member("Parameters", parameters_shown(&set.target.shown_parameters));
    }
    if !set.target.tags.is_empty() {
        set_member("Tags", tags_shown(&set.target.tags));
    }
    set_member("Capabilities", json!(set.target.capabilities));
    set_member("NotificationARNs", json!([]));
    set_member("RollbackConfiguration", json!({}));
    set_member("Changes", json!(shown_changes));
    if let Some(on_failure) = set.on_stack_failure {
        set_member("OnStackFailure", json!(OnFailure::as_str(on_failure)));
    }
    if let Some(found) = &set.found {
        let is_drifted = found.values().any(|drift| drift.status() != Status::InSync);
        set_member("DeploymentMode", json!("REVERT_DRIFT"));
        set_member("StackDriftStatus", json!(if is_drifted { "DRIFTED" } else { "IN_SYNC" }));
    }
    if let Some(next) = next {
        set_member("NextToken", json!(next));
    }
    Ok(Value::Object(shown))
}

/// What both the description and the list say of a change set.
fn summary(set: &ChangeSet) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |member: &str, value: Option<&str>| {
        if let Some(value) = value {
            shown.insert(member.to_owned(), json!(value));
        }
    };
    put("ChangeSetName", Some(&set.name));
    put("ChangeSetId", Some(&set.change_set_id));
    put("StackId", Some(&set.stack_id));
    put("StackName", Some(&set.stack_name));
    put("Description", set.description.as_deref());
    put("Status", Some(&set.status));
    put("StatusReason", set.status_reason.as_deref());
    put("ExecutionStatus", Some(&set.execution_status));
    put("CreationTime", Some(&iso(set.created_at)));
    shown.insert("IncludeNestedStacks".to_owned(), json!(false));
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ListChangeSetsInput {
    stack_name: String,
    next_token: Option<String>,
}

pub(in crate::cloudformation) fn list_change_sets(
    endpoint: &Arc<Endpoint>,
    input: ListChangeSetsInput,
) -> Result<Value, ApiError> {
    let sets = endpoint.store.read(|tx| {
        let name = &input.stack_name;
        let stack = Stack::find(tx, name)?.ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))?;
        of_stack(tx, &stack.stack_id)
    })?;
    let (sets, next) = page(sets, |set| (set.created_at, set.change_set_id.clone()), input.next_token.as_deref())?;
    Ok(listed("Summaries", sets.iter().map(|set| Value::Object(summary(set))).collect(), next))
}

pub(in crate::cloudformation) fn delete_change_set(
    endpoint: &Arc<Endpoint>,
    input: ChangeSetInput,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| match find(tx, &input.change_set_name, input.stack_name.as_deref()) {
        Ok(set) => set.delete(tx),
        // Deleting a change set that is gone succeeds.
        Err(error) if error.code == "ChangeSetNotFound" => Ok(()),
        Err(error) => Err(error),
    })?;
    Ok(json!({}))
}
