//! UpdateStack, and the ways out of an update that failed.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::create::{started, token_used};
use crate::cloudformation::export::Imports;
use crate::cloudformation::plan::{Situation, plan};
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::request::{self, ParameterInput, Request};
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::{OnFailure, Operation, Stack, Target};
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::StackStatus;
use crate::cloudformation::{change_set, operation};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct UpdateStackInput {
    stack_name: String,
    template_body: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    use_previous_template: Option<bool>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    parameters: Vec<ParameterInput>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    capabilities: Vec<String>,
    #[serde(default, deserialize_with = "crate::wire::list", rename = "NotificationARNs")]
    notification_arns: Vec<String>,
    #[serde(default, deserialize_with = "crate::wire::optional_list")]
    tags: Option<Vec<Tag>>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    disable_rollback: Option<bool>,
    client_request_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    retain_except_on_create: Option<bool>,
    /// Name conflicts are found by the resource here, and properties before the call is answered, with or without it.
    #[serde(default, rename = "DisableValidation", deserialize_with = "crate::wire::flag")]
    _disable_validation: Option<bool>,
}

pub(in crate::cloudformation) fn update_stack(
    endpoint: &Arc<Endpoint>,
    input: UpdateStackInput,
) -> Result<Value, ApiError> {
    request::refuse_if_any("NotificationARNs", &input.notification_arns)?;
    let (stack, resources, imports) = endpoint.store.read(|tx| {
        let stack = live(tx, &input.stack_name)?;
        let resources = StackResource::all(tx, &stack.stack_id)?;
        Ok((stack, resources, Imports::load(tx)?))
    })?;
    if let Some(token) = input.client_request_token.as_deref().filter(|it| stack.operation.token.as_deref() == Some(it))
    {
        return if stack.operation.kind == "UPDATE_STACK" { Ok(started(&stack)) } else { Err(token_used(token)) };
    }
    check_updatable(&stack)?;
    let request = Request {
        template_body: input.template_body,
        use_previous_template: input.use_previous_template.unwrap_or(false),
        parameters: input.parameters,
        tags: input.tags,
        capabilities: input.capabilities,
    };
    let schemas = Schemas::of(endpoint);
    let names = (stack.name.as_str(), stack.stack_id.as_str());
    let (compiled, target, text) = request.compile(endpoint, names, Some(&stack.target), &schemas)?;
    let plan = plan(&Situation {
        compiled: &compiled,
        schemas: &schemas,
        imports: &imports,
        stack: &stack,
        target: &target,
        resources: &resources,
        found: None,
    })?;
    if plan.is_empty() && !stack.status.is_left_failed() {
        return Err(invalid("No updates are to be performed."));
    }
    let settings = Settings {
        on_failure: if input.disable_rollback == Some(true) { OnFailure::DoNothing } else { OnFailure::Rollback },
        retain_except_on_create: input.retain_except_on_create.unwrap_or(false),
        token: input.client_request_token,
    };
    let stack = endpoint.store.write(|tx| {
        let mut stack = live(tx, &stack.stack_id)?;
        tx.put(&text)?;
        begin(tx, &mut stack, target, settings)?;
        change_set::make_obsolete(tx, &stack.stack_id)?;
        Ok(stack)
    })?;
    operation::start(endpoint, schemas, &stack.stack_id);
    Ok(started(&stack))
}

/// What a call says about the way an update is done.
pub(in crate::cloudformation) struct Settings {
    pub(in crate::cloudformation) on_failure: OnFailure,
    pub(in crate::cloudformation) retain_except_on_create: bool,
    pub(in crate::cloudformation) token: Option<String>,
}

/// Writes that the stack is on its way to `target`.
pub(in crate::cloudformation) fn begin(
    tx: &Tx<'_>,
    stack: &mut Stack,
    target: Target,
    settings: Settings,
) -> Result<(), ApiError> {
    check_updatable(stack)?;
    stack.operation = Operation::new("UPDATE_STACK", settings.token);
    stack.unsettled.insert(stack.operation.id.clone());
    stack.updated_at = Some(chrono::Utc::now());
    stack.on_failure = settings.on_failure;
    stack.retain_except_on_create = settings.retain_except_on_create;
    stack.spared.clear();
    stack.target = target;
    stack.drift = None;
    stack.enter(tx, StackStatus::UpdateInProgress, "User Initiated".to_owned())
}

pub(in crate::cloudformation) fn check_updatable(stack: &Stack) -> Result<(), ApiError> {
    if stack.status.is_updatable() {
        return Ok(());
    }
    Err(invalid(format!("Stack:{} is in {} state and can not be updated.", stack.stack_id, stack.status)))
}

/// The stack, if it is alive.
pub(in crate::cloudformation) fn live(tx: &Tx<'_>, name_or_id: &str) -> Result<Stack, ApiError> {
    Stack::find(tx, name_or_id)?
        .filter(|stack| stack.status != StackStatus::DeleteComplete)
        .ok_or_else(|| invalid(format!("Stack [{name_or_id}] does not exist")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ContinueUpdateRollbackInput {
    stack_name: String,
    #[serde(default, deserialize_with = "crate::wire::list")]
    resources_to_skip: Vec<String>,
    client_request_token: Option<String>,
}

pub(in crate::cloudformation) fn continue_update_rollback(
    endpoint: &Arc<Endpoint>,
    input: ContinueUpdateRollbackInput,
) -> Result<Value, ApiError> {
    let stack = endpoint.store.write(|tx| {
        let mut stack = live(tx, &input.stack_name)?;
        if stack.status != StackStatus::UpdateRollbackFailed {
            return Err(invalid(format!(
                "Stack:{} is in {} state and can not continue rollback.",
                stack.stack_id, stack.status
            )));
        }
        let resources = StackResource::all(tx, &stack.stack_id)?;
        if let Some(unknown) = input.resources_to_skip.iter().find(|it| !resources.contains_key(*it)) {
            return Err(invalid(format!("Resource {unknown} does not exist for stack {}", stack.name)));
        }
        stack.spared = input.resources_to_skip.into_iter().collect();
        stack.operation = Operation::new("CONTINUE_ROLLBACK", input.client_request_token);
        stack.enter(tx, StackStatus::UpdateRollbackInProgress, "User Initiated".to_owned())?;
        Ok(stack)
    })?;
    operation::start(endpoint, Arc::default(), &stack.stack_id);
    Ok(json!({"OperationId": stack.operation.id}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct RollbackStackInput {
    stack_name: String,
    client_request_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    retain_except_on_create: Option<bool>,
}

pub(in crate::cloudformation) fn rollback_stack(
    endpoint: &Arc<Endpoint>,
    input: RollbackStackInput,
) -> Result<Value, ApiError> {
    let stack = endpoint.store.write(|tx| {
        let mut stack = live(tx, &input.stack_name)?;
        let next = match stack.status {
            status if !status.is_left_failed() => {
                return Err(invalid(format!(
                    "Stack:{} is in {status} state and can not be rolled back.",
                    stack.stack_id
                )));
            }
            _ if stack.stable.is_none() => StackStatus::RollbackInProgress,
            _ => StackStatus::UpdateRollbackInProgress,
        };
        stack.operation = Operation::new("ROLLBACK", input.client_request_token);
        stack.retain_except_on_create = input.retain_except_on_create.unwrap_or(stack.retain_except_on_create);
        stack.enter(tx, next, "User Initiated".to_owned())?;
        Ok(stack)
    })?;
    operation::start(endpoint, Arc::default(), &stack.stack_id);
    Ok(started(&stack))
}
