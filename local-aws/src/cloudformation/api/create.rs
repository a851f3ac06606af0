//! CreateStack.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloudformation::change_set;
use crate::cloudformation::export::Imports;
use crate::cloudformation::operation;
use crate::cloudformation::plan::{Situation, plan};
use crate::cloudformation::refusal::check_name;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::request::{self, ParameterInput, Request};
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::{OnFailure, Operation, Stack};
use crate::cloudformation::status::StackStatus;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct CreateStackInput {
    stack_name: String,
    template_body: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    parameters: Vec<ParameterInput>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    disable_rollback: Option<bool>,
    on_failure: Option<OnFailure>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    capabilities: Vec<String>,
    #[serde(default, deserialize_with = "crate::wire::list", rename = "NotificationARNs")]
    notification_arns: Vec<String>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    tags: Vec<Tag>,
    client_request_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    enable_termination_protection: Option<bool>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    retain_except_on_create: Option<bool>,
    /// Name conflicts are found by the resource here, and properties before the call is answered, with or without it.
    #[serde(default, rename = "DisableValidation", deserialize_with = "crate::wire::flag")]
    _disable_validation: Option<bool>,
}

pub(in crate::cloudformation) fn create_stack(
    endpoint: &Arc<Endpoint>,
    input: CreateStackInput,
) -> Result<Value, ApiError> {
    check_name("stackName", &input.stack_name)?;
    request::refuse_if_any("NotificationARNs", &input.notification_arns)?;
    if input.on_failure.is_some() && input.disable_rollback.is_some() {
        return Err(invalid("You can specify only one of DisableRollback and OnFailure, not both."));
    }
    let name = input.stack_name.clone();
    let (existing, imports) = endpoint.store.read(|tx| Ok((Stack::find(tx, &name)?, Imports::load(tx)?)))?;
    let operation = Operation::new("CREATE_STACK", input.client_request_token);
    let mut stack = match existing {
        // Nothing but change sets: AWS makes the stack, and they are obsolete.
        Some(stack) if stack.status == StackStatus::ReviewInProgress => Stack { operation, ..stack },
        Some(stack) => return again(&stack, operation.token.as_deref()),
        None => Stack::new(stack_id(endpoint, &name), &name, StackStatus::CreateInProgress, operation),
    };
    let schemas = Schemas::of(endpoint);
    let request = Request {
        template_body: input.template_body,
        use_previous_template: false,
        parameters: input.parameters,
        tags: Some(input.tags),
        capabilities: input.capabilities,
    };
    let (compiled, target, text) = request.compile(endpoint, (&name, &stack.stack_id), None, &schemas)?;
    plan(&Situation {
        compiled: &compiled,
        schemas: &schemas,
        imports: &imports,
        stack: &stack,
        target: &target,
        resources: &BTreeMap::new(),
        found: None,
    })?;
    stack.target = target;
    stack.on_failure = match input.disable_rollback {
        Some(true) => OnFailure::DoNothing,
        _ => input.on_failure.unwrap_or_default(),
    };
    stack.termination_protection = input.enable_termination_protection.unwrap_or(false);
    stack.retain_except_on_create = input.retain_except_on_create.unwrap_or(false);
    stack.unsettled.insert(stack.operation.id.clone());
    endpoint.store.write(|tx| match Stack::find(tx, &name)? {
        Some(other) if other.stack_id != stack.stack_id || other.status != StackStatus::ReviewInProgress => {
            again(&other, stack.operation.token.as_deref()).map(|_| ())
        }
        _ => {
            change_set::make_obsolete(tx, &stack.stack_id)?;
            tx.put(&text)?;
            stack.enter(tx, StackStatus::CreateInProgress, "User Initiated".to_owned())
        }
    })?;
    operation::start(endpoint, schemas, &stack.stack_id);
    Ok(started(&stack))
}

/// The ARN of a stack that is about to be.
pub(in crate::cloudformation) fn stack_id(endpoint: &Endpoint, name: &str) -> String {
    endpoint.arn("cloudformation", &format!("stack/{name}/{}", uuid::Uuid::new_v4()))
}

/// The answer of a call that starts an operation.
pub(in crate::cloudformation) fn started(stack: &Stack) -> Value {
    json!({"StackId": stack.stack_id, "OperationId": stack.operation.id})
}

/// The name is taken, unless this is the same request once more.
fn again(stack: &Stack, token: Option<&str>) -> Result<Value, ApiError> {
    if token.is_some() && stack.operation.token.as_deref() == token {
        return match stack.operation.kind.as_str() {
            "CREATE_STACK" => Ok(started(stack)),
            _ => Err(token_used(token.unwrap_or_default())),
        };
    }
    Err(ApiError::new("AlreadyExistsException", format!("Stack [{}] already exists", stack.name)))
}

/// The refusal of a token that another operation has used.
pub(in crate::cloudformation) fn token_used(token: &str) -> ApiError {
    ApiError::new(
        "TokenAlreadyExistsException",
        format!("The client request token {token} was used by another operation of the stack."),
    )
}
