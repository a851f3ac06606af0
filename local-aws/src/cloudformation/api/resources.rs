//! What resources a stack has.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloudformation::answer::iso;
use crate::cloudformation::answer::{listed, page};
use crate::cloudformation::drift::found;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::StackResource;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ResourceInput {
    stack_name: Option<String>,
    logical_resource_id: Option<String>,
    physical_resource_id: Option<String>,
}

pub(in crate::cloudformation) fn describe_stack_resource(
    endpoint: &Arc<Endpoint>,
    input: ResourceInput,
) -> Result<Value, ApiError> {
    let (Some(name), Some(logical_id)) = (input.stack_name, input.logical_resource_id) else {
        return Err(invalid("StackName and LogicalResourceId must be specified."));
    };
    endpoint.store.read(|tx| {
        let stack = Stack::find(tx, &name)?.ok_or_else(|| invalid(format!("Stack '{name}' does not exist")))?;
        let resource = shown(tx, &stack)?
            .remove(&logical_id)
            .ok_or_else(|| invalid(format!("Resource {logical_id} does not exist for stack {}", stack.name)))?;
        let mut detail = description(&stack, &resource, "LastUpdatedTimestamp");
        // AWS puts an empty object where the template has no metadata.
        detail["Metadata"] = json!(resource.now.metadata.as_ref().unwrap_or(&json!({})).to_string());
        Ok(json!({"StackResourceDetail": detail}))
    })
}

pub(in crate::cloudformation) fn describe_stack_resources(
    endpoint: &Arc<Endpoint>,
    input: ResourceInput,
) -> Result<Value, ApiError> {
    endpoint.store.read(|tx| {
        let stack = match (&input.stack_name, &input.physical_resource_id) {
            (Some(_), Some(_)) => {
                return Err(invalid("You cannot specify both StackName and PhysicalResourceId in the same request."));
            }
            (Some(name), None) => Stack::of(tx, name)?,
            (None, Some(physical_id)) => owner(tx, physical_id)?,
            (None, None) => {
                return Err(invalid("You must specify either StackName or PhysicalResourceId, but not both."));
            }
        };
        let resources = shown(tx, &stack)?.into_values();
        let wanted = resources.filter(|it| input.logical_resource_id.as_ref().is_none_or(|id| *id == it.logical_id));
        let resources: Vec<Value> = wanted.map(|it| description(&stack, &it, "Timestamp")).collect();
        Ok(json!({"StackResources": resources}))
    })
}

/// The stack that a resource belongs to.
fn owner(tx: &Tx<'_>, physical_id: &str) -> Result<Stack, ApiError> {
    let resources = tx.list::<StackResource>()?;
    let found = resources
        .iter()
        .find(|it| !it.status.is_gone() && it.now.physical_id.as_deref() == Some(physical_id))
        .ok_or_else(|| invalid(format!("Stack for {physical_id} does not exist")))?;
    Stack::of(tx, &found.stack_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ListStackResourcesInput {
    stack_name: String,
    next_token: Option<String>,
}

pub(in crate::cloudformation) fn list_stack_resources(
    endpoint: &Arc<Endpoint>,
    input: ListStackResourcesInput,
) -> Result<Value, ApiError> {
    let (stack, resources) = endpoint.store.read(|tx| {
        let stack = Stack::of(tx, &input.stack_name)?;
        let resources = shown(tx, &stack)?;
        Ok((stack, resources))
    })?;
    let (resources, next) =
        page(resources.into_values().collect(), |it| it.logical_id.clone(), input.next_token.as_deref())?;
    let summaries = resources.iter().map(|it| {
        let mut summary = description(&stack, it, "LastUpdatedTimestamp");
        if let Some(members) = summary.as_object_mut() {
            members.remove("StackId");
            members.remove("StackName");
        }
        summary
    });
    Ok(listed("StackResourceSummaries", summaries.collect(), next))
}

/// Resources that have left the stack are shown only once the stack itself goes or is rolled back.
fn shown(tx: &Tx<'_>, stack: &Stack) -> Result<BTreeMap<String, StackResource>, ApiError> {
    let mut resources = StackResource::all(tx, &stack.stack_id)?;
    let ending = ["DELETE_", "ROLLBACK_"].iter().any(|prefix| stack.status.as_str().starts_with(prefix));
    resources.retain(|_, it| ending || !it.status.is_gone());
    Ok(resources)
}

fn description(stack: &Stack, resource: &StackResource, time: &str) -> Value {
    let mut shown = json!({
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.resource_type,
        "ResourceStatus": resource.status,
        "DriftInformation": found::of_resource(resource.drift.as_ref()),
    });
    shown[time] = json!(iso(resource.changed_at));
    if let Some(physical_id) = &resource.now.physical_id {
        shown["PhysicalResourceId"] = json!(physical_id);
    }
    if let Some(reason) = &resource.status_reason {
        shown["ResourceStatusReason"] = json!(reason);
    }
    shown
}
