//! DetectStackDrift and DetectStackResourceDrift.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe;
use super::detection::Detection;
use super::found::{Drift, StackDrift, Status};
use super::look::look;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::StackStatus;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// How long it takes on AWS; typical, not verified. Reports of "several minutes" are of large stacks.
const TYPICAL: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct DetectStackDriftInput {
    stack_name: String,
    #[serde(default, deserialize_with = "crate::wire::list")]
    logical_resource_ids: Vec<String>,
}

pub(in crate::cloudformation) fn detect_stack_drift(
    endpoint: &Arc<Endpoint>,
    input: DetectStackDriftInput,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let stack = checkable(tx, &input.stack_name)?;
        let under_way = tx.list::<Detection>()?.into_iter().find(|it| it.stack_id == stack.stack_id && !it.is_over());
        if under_way.is_some() {
            return Err(invalid(format!("Drift detection is already in progress for stack [{}]", stack.stack_id)));
        }
        let wanted = &input.logical_resource_ids;
        let found = note(endpoint, tx, &stack, |id| wanted.is_empty() || wanted.iter().any(|it| it == id))?;
        if let Some(unknown) = wanted.iter().find(|id| !found.contains_key(*id)) {
            return Err(missing(unknown, &stack));
        }
        let detection = Detection {
            id: uuid::Uuid::new_v4().to_string(),
            stack_id: stack.stack_id,
            started_at: Utc::now(),
            ends_at: endpoint.latency.end_of(TYPICAL),
            drifted: found.values().filter(|drift| drift.status() != Status::InSync).count(),
        };
        tx.put(&detection)?;
        Ok(json!({"StackDriftDetectionId": detection.id}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct DetectStackResourceDriftInput {
    stack_name: String,
    logical_resource_id: String,
}

pub(in crate::cloudformation) fn detect_stack_resource_drift(
    endpoint: &Arc<Endpoint>,
    input: DetectStackResourceDriftInput,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let stack = checkable(tx, &input.stack_name)?;
        let logical_id = input.logical_resource_id.as_str();
        let found = note(endpoint, tx, &stack, |id| id == logical_id)?;
        let resource = StackResource::all(tx, &stack.stack_id)?.remove(logical_id);
        match (resource, found.get(logical_id)) {
            (Some(resource), Some(drift)) => Ok(json!({"StackResourceDrift": describe::shown(&resource, drift)})),
            _ => Err(missing(logical_id, &stack)),
        }
    })
}

/// The stack, if it is in a state in which AWS looks at it.
fn checkable(tx: &Tx<'_>, name: &str) -> Result<Stack, ApiError> {
    use StackStatus::{CreateComplete, UpdateComplete, UpdateRollbackComplete, UpdateRollbackFailed};
    let stack = Stack::of(tx, name)?;
    if matches!(stack.status, CreateComplete | UpdateComplete | UpdateRollbackComplete | UpdateRollbackFailed) {
        return Ok(stack);
    }
    Err(invalid(format!(
        "Drift detection cannot be performed on stack [{}] while it is in [{}] state",
        stack.stack_id, stack.status
    )))
}

fn missing(logical_id: &str, stack: &Stack) -> ApiError {
    invalid(format!("Resource {logical_id} does not exist for stack {}", stack.name))
}

/// Looks, and writes what was found of those that are wanted into the records of the resources and of the stack.
fn note(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    stack: &Stack,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Drift>, ApiError> {
    let mut resources = StackResource::all(tx, &stack.stack_id)?;
    let mut found = look(endpoint, tx, &Schemas::of(endpoint), &resources)?;
    found.retain(|logical_id, _| is_wanted(logical_id));
    for (logical_id, drift) in &found {
        if let Some(resource) = resources.get_mut(logical_id) {
            resource.drift = Some(drift.clone());
            tx.put(resource)?;
        }
    }
    let is_drifted = |it: &StackResource| it.drift.as_ref().is_some_and(|drift| drift.status() != Status::InSync);
    let drift = StackDrift { checked_at: Utc::now(), is_drifted: resources.values().any(is_drifted) };
    tx.put(&Stack { drift: Some(drift), ..stack.clone() })?;
    Ok(found)
}
