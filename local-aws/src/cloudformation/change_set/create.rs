//! CreateChangeSet.

use std::sync::Arc;

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ChangeSet, changes, named};
use crate::cloudformation::answer::iso;
use crate::cloudformation::api::create::stack_id;
use crate::cloudformation::api::update::check_updatable;
use crate::cloudformation::drift::found::Drift;
use crate::cloudformation::drift::look::look;
use crate::cloudformation::drift::repair;
use crate::cloudformation::early_validation::{self, Finding};
use crate::cloudformation::event;
use crate::cloudformation::export::Imports;
use crate::cloudformation::plan::{Situation, plan};
use crate::cloudformation::refusal::check_name;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::request::{self, ParameterInput, Request};
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::{OnFailure, Operation, Stack};
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::StackStatus;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tag::Tag;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct CreateChangeSetInput {
    stack_name: String,
    change_set_name: String,
    change_set_type: Option<String>,
    description: Option<String>,
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
    client_token: Option<String>,
    on_stack_failure: Option<OnFailure>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    disable_validation: Option<bool>,
    deployment_mode: Option<DeploymentMode>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    include_nested_stacks: Option<bool>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    import_existing_resources: Option<bool>,
    #[serde(default, deserialize_with = "crate::wire::list")]
    resources_to_import: Vec<Value>,
}

/// How a change set comes to its changes, if not by the record of the last deployment.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DeploymentMode {
    /// By what there is now.
    RevertDrift,
}

pub(in crate::cloudformation) fn create_change_set(
    endpoint: &Arc<Endpoint>,
    input: CreateChangeSetInput,
) -> Result<Value, ApiError> {
    check_name("changeSetName", &input.change_set_name)?;
    request::refuse_if_any("NotificationARNs", &input.notification_arns)?;
    let creating = is_creating(&input)?;
    check_mode(&input, creating)?;
    loop {
        if let Some(answer) = compare(endpoint, input.clone(), creating)? {
            return Ok(answer);
        }
    }
}

impl CreateChangeSetInput {
    /// Takes out what the stack is to be.
    fn request(&mut self) -> Request {
        Request {
            template_body: self.template_body.take(),
            use_previous_template: self.use_previous_template.unwrap_or(false),
            parameters: std::mem::take(&mut self.parameters),
            tags: self.tags.take(),
            capabilities: std::mem::take(&mut self.capabilities),
        }
    }
}

/// Makes the change set; `None` when the stack that it compares with has become another one meanwhile.
fn compare(
    endpoint: &Arc<Endpoint>,
    mut input: CreateChangeSetInput,
    creating: bool,
) -> Result<Option<Value>, ApiError> {
    let (existing, imports) = endpoint.store.read(|tx| Ok((existing(tx, &input, creating)?, Imports::load(tx)?)))?;
    if let Some(set) = endpoint.store.read(|tx| repeated(tx, existing.as_ref(), &input))? {
        return Ok(Some(answer(&set)));
    }
    let is_new = existing.is_none();
    let stack = existing.unwrap_or_else(|| {
        let operation = Operation::new("CREATE_CHANGESET", None);
        Stack::new(stack_id(endpoint, &input.stack_name), &input.stack_name, StackStatus::ReviewInProgress, operation)
    });
    let mut resources = endpoint.store.read(|tx| StackResource::all(tx, &stack.stack_id))?;
    let schemas = Schemas::of(endpoint);
    let found = match input.deployment_mode {
        Some(DeploymentMode::RevertDrift) => {
            let found = endpoint.store.read(|tx| look(endpoint, tx, &schemas, &resources))?;
            resources = repair::as_found(&resources, &found, &schemas)?;
            Some(found)
        }
        None => None,
    };
    let names = (stack.name.as_str(), stack.stack_id.as_str());
    let (compiled, target, text) =
        input.request().compile(endpoint, names, (!creating).then_some(&stack.target), &schemas)?;
    let situation = Situation {
        compiled: &compiled,
        schemas: &schemas,
        imports: &imports,
        stack: &stack,
        target: &target,
        resources: &resources,
        found: found.as_ref(),
    };
    let (verdict, changes) = judge(endpoint, &situation, input.disable_validation == Some(true))?;
    let is_ready = matches!(verdict, Verdict::Ready);
    let operation = if is_new { stack.operation.clone() } else { Operation::new("CREATE_CHANGESET", None) };
    let id = endpoint.arn("cloudformation", &format!("changeSet/{}/{}", input.change_set_name, uuid::Uuid::new_v4()));
    let set = ChangeSet {
        change_set_id: id,
        name: input.change_set_name,
        stack_id: stack.stack_id.clone(),
        stack_name: stack.name.clone(),
        operation_id: operation.id.clone(),
        description: input.description,
        status: if is_ready { "CREATE_COMPLETE" } else { "FAILED" }.to_owned(),
        status_reason: verdict.reason().map(str::to_owned),
        execution_status: if is_ready { "AVAILABLE" } else { "UNAVAILABLE" }.to_owned(),
        created_at: Utc::now(),
        on_stack_failure: input.on_stack_failure,
        token: input.client_token,
        target,
        changes,
        found,
    };
    let is_recorded = endpoint.store.write(|tx| {
        let is_recorded = record(tx, stack.clone(), is_new, &set)?;
        if is_recorded {
            tx.put(&text)?;
            tell(tx, &stack, &operation, &set, &verdict)?;
        }
        Ok(is_recorded)
    })?;
    Ok(is_recorded.then(|| answer(&set)))
}

/// What becomes of a change set.
enum Verdict {
    Ready,
    Empty,
    Refused(Vec<Finding>),
    /// Somebody has changed a resource that would have to be replaced.
    ReplacesDrifted,
}

impl Verdict {
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Ready => None,
            Self::Empty => Some(
                "The submitted information didn't contain changes. Submit different information to create a change set.",
            ),
            Self::Refused(_) => Some(early_validation::REASON),
            Self::ReplacesDrifted => Some(
                "The submitted information requires replacement of drifted resources, which is not supported. Resolve drift before changing immutable resource properties",
            ),
        }
    }
}

/// Computes the changes, and says whether they can be made.
fn judge(
    endpoint: &Endpoint,
    situation: &Situation<'_>,
    without_validation: bool,
) -> Result<(Verdict, Vec<Value>), ApiError> {
    let plan = match plan(situation) {
        Ok(plan) => plan,
        // What is wrong with properties is told by events. Every other mistake is the call's.
        Err(error) if error.status < 500 && !without_validation => {
            return match early_validation::properties(situation) {
                Ok(findings) if !findings.is_empty() => Ok((Verdict::Refused(findings), Vec::new())),
                _ => Err(error),
            };
        }
        Err(error) => return Err(error),
    };
    // A stack that is made is a change even when its conditions leave out every resource, and so is a retry of a failed
    // operation when the template is the same.
    let status = situation.stack.status;
    let is_empty = plan.is_empty() && status != StackStatus::ReviewInProgress && !status.is_left_failed();
    let shown = changes::shown(situation, &plan);
    let is_modified = |id: &str| situation.found.and_then(|found| found.get(id)).is_some_and(Drift::is_modified);
    if plan.resources.iter().any(|planned| planned.is_replaced() && is_modified(&planned.logical_id)) {
        return Ok((Verdict::ReplacesDrifted, shown));
    }
    if is_empty || without_validation {
        return Ok((if is_empty { Verdict::Empty } else { Verdict::Ready }, shown));
    }
    let findings = endpoint.store.read(|tx| early_validation::names(endpoint, tx, &plan))?;
    Ok((if findings.is_empty() { Verdict::Ready } else { Verdict::Refused(findings) }, shown))
}

/// The events of the operation that made the change set: what was found, and how it ended.
fn tell(tx: &Tx<'_>, stack: &Stack, operation: &Operation, set: &ChangeSet, verdict: &Verdict) -> Result<(), ApiError> {
    if let Verdict::Refused(findings) = verdict {
        for finding in findings {
            event::record_operation(tx, &stack.stack_id, operation, finding.shown())?;
        }
    }
    let status = if matches!(verdict, Verdict::Ready) { "SUCCEEDED" } else { "FAILED" };
    let time = iso(set.created_at);
    let mut end = json!({"EventType": "STACK_EVENT", "OperationStatus": status, "StartTime": time, "EndTime": time});
    if let Some(reason) = verdict.reason() {
        end["ResourceStatusReason"] = json!(reason);
    }
    event::record_operation(tx, &stack.stack_id, operation, end)
}

/// What reverting drift cannot be combined with. The rules are AWS's, by its own clients; the words are inferred.
fn check_mode(input: &CreateChangeSetInput, creating: bool) -> Result<(), ApiError> {
    let more = [
        ("IncludeNestedStacks", input.include_nested_stacks == Some(true)),
        ("ImportExistingResources", input.import_existing_resources == Some(true)),
        ("ResourcesToImport", !input.resources_to_import.is_empty()),
    ];
    let given = more.into_iter().find(|(_, is_given)| *is_given).map(|(member, _)| member);
    if input.deployment_mode.is_none() {
        return given.map_or(Ok(()), |member| Err(ApiError::unsupported(format!("The input member {member}"))));
    }
    if creating {
        return Err(invalid("DeploymentMode=REVERT_DRIFT is supported only for change sets of type UPDATE."));
    }
    if input.on_stack_failure.is_some_and(|on_failure| on_failure != OnFailure::Rollback) {
        return Err(invalid("DeploymentMode=REVERT_DRIFT is supported only with OnStackFailure=ROLLBACK."));
    }
    given.map_or(Ok(()), |member| Err(invalid(format!("DeploymentMode=REVERT_DRIFT is not supported with {member}."))))
}

fn is_creating(input: &CreateChangeSetInput) -> Result<bool, ApiError> {
    let creating = match input.change_set_type.as_deref() {
        Some("CREATE") => true,
        None | Some("UPDATE") => false,
        Some("IMPORT") => return Err(ApiError::unsupported("The change set type IMPORT")),
        Some(other) => {
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'changeSetType' failed to satisfy constraint: Member must satisfy enum value set: [IMPORT, UPDATE, CREATE]"
            )));
        }
    };
    if !creating && input.on_stack_failure == Some(OnFailure::Delete) {
        return Err(invalid("OnStackFailure=DELETE is supported only for change sets of type CREATE."));
    }
    Ok(creating)
}

/// The stack that the change set is for; none when it makes one.
fn existing(tx: &Tx<'_>, input: &CreateChangeSetInput, creating: bool) -> Result<Option<Stack>, ApiError> {
    let name = &input.stack_name;
    let again = || {
        let set = &input.change_set_name;
        invalid(format!("Stack [{name}] already exists and cannot be created again with the changeSet [{set}]."))
    };
    let known = Stack::find(tx, name)?;
    // By its ARN only.
    let is_gone = known.as_ref().is_some_and(|stack| stack.status == StackStatus::DeleteComplete);
    match known.filter(|_| !is_gone) {
        Some(stack) if stack.status == StackStatus::ReviewInProgress && creating => Ok(Some(stack)),
        Some(_) if creating => Err(again()),
        None if creating && is_gone => Err(again()),
        Some(stack) => check_updatable(&stack).map(|()| Some(stack)),
        None if creating => check_name("stackName", name).map(|()| None),
        None => Err(invalid(format!("Stack [{name}] does not exist"))),
    }
}

/// The same request once more gives the same change set; a new request needs a new name.
fn repeated(tx: &Tx<'_>, stack: Option<&Stack>, input: &CreateChangeSetInput) -> Result<Option<ChangeSet>, ApiError> {
    let Some(stack) = stack else { return Ok(None) };
    match named(tx, &stack.stack_id, &input.change_set_name)? {
        Some(set) if input.client_token.is_some() && set.token == input.client_token => Ok(Some(set)),
        Some(set) => Err(already_exists(&set.name)),
        None => Ok(None),
    }
}

fn already_exists(name: &str) -> ApiError {
    ApiError::new("AlreadyExistsException", format!("ChangeSet [{name}] already exists"))
}

/// Whether the change set is true of the stack as it is now; only then it is kept.
fn record(tx: &Tx<'_>, mut stack: Stack, is_new: bool, set: &ChangeSet) -> Result<bool, ApiError> {
    if is_new {
        if Stack::find(tx, &stack.name)?.is_some() {
            return Ok(false);
        }
        stack.enter(tx, StackStatus::ReviewInProgress, "User Initiated".to_owned())?;
    } else if Stack::find(tx, &stack.stack_id)?
        .is_none_or(|now| (now.status, &now.operation.id) != (stack.status, &stack.operation.id))
    {
        return Ok(false);
    }
    if named(tx, &set.stack_id, &set.name)?.is_some() {
        return Err(already_exists(&set.name));
    }
    set.save(tx)?;
    Ok(true)
}

fn answer(set: &ChangeSet) -> Value {
    json!({"Id": set.change_set_id, "StackId": set.stack_id})
}
