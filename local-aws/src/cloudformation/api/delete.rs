//! DeleteStack, and the protection against it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::update::live;
use crate::cloudformation::operation;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::stack::{Operation, Stack};
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::StackStatus;
use crate::cloudformation::under_way::UnderWay;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct DeleteStackInput {
    stack_name: String,
    #[serde(default, deserialize_with = "crate::wire::list")]
    retain_resources: Vec<String>,
    client_request_token: Option<String>,
    deletion_mode: Option<String>,
}

pub(in crate::cloudformation) fn delete_stack(
    endpoint: &Arc<Endpoint>,
    input: DeleteStackInput,
) -> Result<Value, ApiError> {
    let begun = endpoint.store.write(|tx| begin(tx, input))?;
    endpoint.memory::<UnderWay>().calls.notify_waiters();
    if let Some(stack_id) = begun {
        operation::start(endpoint, Arc::default(), &stack_id);
    }
    Ok(json!({}))
}

/// Writes that the stack goes; gives its id when somebody has to see to it. A creation that is under way does so
/// itself. Deleting what is not there is no error.
fn begin(tx: &Tx<'_>, input: DeleteStackInput) -> Result<Option<String>, ApiError> {
    let Some(mut stack) = Stack::find(tx, &input.stack_name)? else { return Ok(None) };
    if matches!(stack.status, StackStatus::DeleteComplete | StackStatus::DeleteInProgress) {
        return Ok(None);
    }
    if stack.termination_protection {
        return Err(invalid(format!(
            "Stack [{}] cannot be deleted while TerminationProtection is enabled",
            stack.name
        )));
    }
    let under_way = stack.status.is_working();
    if under_way && stack.status != StackStatus::CreateInProgress {
        return Err(invalid(format!("Stack [{}] cannot be deleted while in status {}", stack.stack_id, stack.status)));
    }
    let failed = stack.status == StackStatus::DeleteFailed;
    let resources = StackResource::all(tx, &stack.stack_id)?;
    match input.deletion_mode.as_deref() {
        None | Some("STANDARD") => {}
        Some("FORCE_DELETE_STACK") if failed => {}
        Some("FORCE_DELETE_STACK") => {
            return Err(invalid(format!(
                "Invalid operation on stack [{}]. Use FORCE_DELETE_STACK only when the stack is in the DELETE_FAILED state.",
                stack.stack_id
            )));
        }
        Some(other) => {
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'deletionMode' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, FORCE_DELETE_STACK]"
            )));
        }
    }
    if !input.retain_resources.is_empty() && !failed {
        return Err(invalid(format!(
            "Invalid operation on stack [{}]. Specify which resources to retain only when the stack is in the DELETE_FAILED state.",
            stack.stack_id
        )));
    }
    if let Some(unknown) = input.retain_resources.iter().find(|it| !resources.contains_key(*it)) {
        return Err(invalid(format!("Resource {unknown} does not exist for stack {}", stack.name)));
    }
    stack.spared = input.retain_resources.into_iter().collect();
    stack.deletion_mode = input.deletion_mode;
    stack.operation = Operation::new("DELETE_STACK", input.client_request_token);
    stack.enter(tx, StackStatus::DeleteInProgress, "User Initiated".to_owned())?;
    Ok((!under_way).then_some(stack.stack_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct UpdateTerminationProtectionInput {
    stack_name: String,
    #[serde(deserialize_with = "crate::wire::flag")]
    enable_termination_protection: Option<bool>,
}

pub(in crate::cloudformation) fn update_termination_protection(
    endpoint: &Arc<Endpoint>,
    input: UpdateTerminationProtectionInput,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut stack = live(tx, &input.stack_name)?;
        if stack.status == StackStatus::DeleteInProgress {
            return Err(invalid(format!(
                "Termination protection of stack [{}] cannot be changed while in status DELETE_IN_PROGRESS",
                stack.name
            )));
        }
        stack.termination_protection = input.enable_termination_protection.unwrap_or(false);
        stack.save(tx)?;
        Ok(json!({"StackId": stack.stack_id}))
    })
}
