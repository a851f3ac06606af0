//! ExecuteChangeSet.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ChangeSet, find, of_stack};
use crate::cloudformation::api::create::token_used;
use crate::cloudformation::api::update::{Settings, begin};
use crate::cloudformation::drift::repair;
use crate::cloudformation::operation;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::{OnFailure, Operation, Stack};
use crate::cloudformation::status::StackStatus;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ExecuteChangeSetInput {
    change_set_name: String,
    stack_name: Option<String>,
    client_request_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    disable_rollback: Option<bool>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    retain_except_on_create: Option<bool>,
}

pub(in crate::cloudformation) fn execute_change_set(
    endpoint: &Arc<Endpoint>,
    input: ExecuteChangeSetInput,
) -> Result<Value, ApiError> {
    let schemas = Schemas::of(endpoint);
    let begun = endpoint.store.write(|tx| {
        let set = find(tx, &input.change_set_name, input.stack_name.as_deref())?;
        let mut stack = Stack::of(tx, &set.stack_id)?;
        let token = input.client_request_token.as_deref();
        if token.is_some() && stack.operation.token.as_deref() == token {
            let same = stack.change_set_id.as_deref() == Some(&set.change_set_id);
            return if same { Ok(None) } else { Err(token_used(token.unwrap_or_default())) };
        }
        execute(tx, &schemas, &mut stack, set, &input)?;
        Ok(Some(stack.stack_id))
    })?;
    if let Some(stack_id) = begun {
        operation::start(endpoint, schemas, &stack_id);
    }
    Ok(json!({}))
}

fn execute(
    tx: &Tx<'_>,
    schemas: &Schemas,
    stack: &mut Stack,
    mut set: ChangeSet,
    input: &ExecuteChangeSetInput,
) -> Result<(), ApiError> {
    if set.execution_status != "AVAILABLE" {
        let current = if set.status == "FAILED" { &set.status } else { &set.execution_status };
        return Err(ApiError::new(
            "InvalidChangeSetStatus",
            format!("ChangeSet [{}] cannot be executed in its current status of [{current}]", set.change_set_id),
        ));
    }
    if set.on_stack_failure.is_some() && input.disable_rollback.is_some() {
        return Err(invalid(
            "DisableRollback cannot be specified for a change set that was created with OnStackFailure.",
        ));
    }
    let settings = Settings {
        on_failure: match input.disable_rollback {
            Some(true) => OnFailure::DoNothing,
            _ => set.on_stack_failure.unwrap_or_default(),
        },
        retain_except_on_create: input.retain_except_on_create.unwrap_or(false),
        token: input.client_request_token.clone(),
    };
    stack.change_set_id = Some(set.change_set_id.clone());
    if stack.status == StackStatus::ReviewInProgress {
        stack.operation = Operation::new("CREATE_STACK", settings.token);
        stack.unsettled.insert(stack.operation.id.clone());
        stack.on_failure = settings.on_failure;
        stack.retain_except_on_create = settings.retain_except_on_create;
        stack.target = set.target.clone();
        // On AWS, making the stack out of the change set is an update of the one that was REVIEW_IN_PROGRESS.
        stack.updated_at = Some(chrono::Utc::now());
        stack.enter(tx, StackStatus::CreateInProgress, "User Initiated".to_owned())?;
    } else {
        begin(tx, stack, set.target.clone(), settings)?;
        if let Some(found) = &set.found {
            repair::begin(tx, stack, found, schemas)?;
        }
    }
    // The others show changes against a stack that will be another one.
    for other in of_stack(tx, &stack.stack_id)?.iter().filter(|other| other.change_set_id != set.change_set_id) {
        other.delete(tx)?;
    }
    set.execution_status = "EXECUTE_COMPLETE".to_owned();
    tx.put(&set)
}
