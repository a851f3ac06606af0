//! Change sets: what an update would do, before it does it.

use aws_sdk_cloudformation::types::{
    self, Capability, ChangeSetStatus, ChangeSetSummary, ChangeSetType, DeploymentMode, Parameter, Tag,
};
use serde::Serialize;

use super::{Stack, StackSpec, find};
use crate::aws::clients::{Clients, token};
use crate::error::{Doing, Error, Result};

/// One change of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// `Add`, `Modify`, `Remove`, ...
    pub(crate) action: String,
    /// Logical id of the resource.
    pub(crate) logical_id: String,
    /// Type of the resource.
    pub(crate) resource_type: String,
    /// `True`, `False` or `Conditional` for a modification.
    pub(crate) replacement: Option<String>,
    /// What somebody has done to the resource without CloudFormation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drift: Option<Drift>,
}

/// What has become of a resource by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Drift {
    Deleted,
    /// What is put back.
    Modified(Vec<Property>),
    /// The template says the same by now.
    Synced,
}

/// A property that somebody has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Property {
    /// A JSON pointer within the properties.
    pub(crate) path: String,
    /// What it is; nothing where it is gone.
    pub(crate) live: Option<String>,
    /// What the template says.
    pub(crate) template: Option<String>,
}

impl Drift {
    /// AWS's clients take a resource that was deleted for an `Add`; others have seen `Modify`.
    fn of(change: &types::ResourceChange) -> Option<Self> {
        let is_synced = change.action().is_some_and(|action| action.as_str() == "SyncWithActual");
        match change.resource_drift_status()?.as_str() {
            "DELETED" => Some(Self::Deleted),
            "MODIFIED" if is_synced => Some(Self::Synced),
            "MODIFIED" => {
                let targets = change.details().iter().filter_map(|detail| detail.target());
                let drifted = targets.filter(|target| target.drift().is_some());
                let mut properties: Vec<_> = drifted.map(Property::of).collect();
                properties.dedup();
                Some(Self::Modified(properties))
            }
            _ => None,
        }
    }
}

impl Property {
    fn of(target: &types::ResourceTargetDefinition) -> Self {
        let path = target.path().or(target.name()).unwrap_or_default();
        Self {
            path: path.trim_start_matches("/Properties/").to_owned(),
            live: target.before_value().map(str::to_owned),
            template: target.after_value().map(str::to_owned),
        }
    }
}

impl Change {
    /// A resource that comes new.
    pub(crate) fn add(logical_id: String, resource_type: String) -> Self {
        Self { action: "Add".to_owned(), logical_id, resource_type, replacement: None, drift: None }
    }

    fn of(change: &types::ResourceChange) -> Self {
        Self {
            action: change.action().map(|action| action.as_str().to_owned()).unwrap_or_default(),
            logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
            resource_type: change.resource_type().unwrap_or_default().to_owned(),
            replacement: change.replacement().map(|replacement| replacement.as_str().to_owned()),
            drift: Drift::of(change),
        }
    }
}

/// A change set that can be executed.
#[derive(Debug, Clone)]
pub(super) struct ChangeSet {
    /// Every call names it together with its stack: then it is the stack on which IAM authorizes the call, as the
    /// policies say, and not the change set.
    name: String,
    /// The stack; for a new one, the shell that holds the change set.
    pub(super) stack_id: String,
    pub(super) changes: Vec<Change>,
    is_new_stack: bool,
}

/// What a change set starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// What CloudFormation has last made of the stack.
    LastDeployment,
    /// What there is, whoever has made it so.
    LiveState,
}

/// What has come of the attempt to make a change set.
pub(super) enum Made {
    Set(ChangeSet),
    /// There is no difference.
    Nothing,
    /// It cannot start from the live state, for this reason.
    Obstacle(String),
}

/// Makes a change set from what is there to `spec`.
///
/// # Errors
/// When AWS refuses the template or a parameter.
pub(super) async fn create(clients: &Clients, spec: &StackSpec, existing: Option<&Stack>, base: Base) -> Result<Made> {
    // A stack in review holds only change sets: for CloudFormation it is still to be created.
    let updates = existing.filter(|stack| !stack.is_shell());
    let kind = if updates.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
    let doing = format!("Planning the stack {}", spec.name);
    let name = token();
    let answer = clients
        .cloudformation
        .create_change_set()
        .stack_name(&spec.name)
        .change_set_name(&name)
        .change_set_type(kind)
        .client_token(&name)
        .template_body(spec.template)
        .set_parameters(Some(parameters(spec, updates)))
        .set_tags(Some(spec.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
        .capabilities(Capability::CapabilityIam)
        .set_deployment_mode((base == Base::LiveState).then_some(DeploymentMode::RevertDrift))
        .send()
        .await
        .doing(&doing)?;
    let mut set = ChangeSet {
        name,
        stack_id: answer.stack_id().unwrap_or_default().to_owned(),
        changes: Vec::new(),
        is_new_stack: updates.is_none(),
    };
    match complete(clients, &mut set, base, &doing).await {
        Ok(End::Complete) => Ok(Made::Set(set)),
        Ok(End::Empty) => discard(clients, &set).await.map(|()| Made::Nothing),
        Ok(End::Obstacle(reason)) => discard(clients, &set).await.map(|()| Made::Obstacle(reason)),
        Err(error) => {
            // The refusal is what the user has to know; what is left of the attempt is in nobody's way.
            let _ = discard(clients, &set).await;
            Err(error)
        }
    }
}

/// How the making of a change set ends.
enum End {
    Complete,
    Empty,
    Obstacle(String),
}

/// Waits until the change set is complete.
async fn complete(clients: &Clients, set: &mut ChangeSet, base: Base, doing: &str) -> Result<End> {
    let mut pace = clients.pace();
    let mut next = None;
    loop {
        let request = clients.cloudformation.describe_change_set().stack_name(&set.stack_id).change_set_name(&set.name);
        let request = request.include_property_values(base == Base::LiveState);
        let answer = request.set_next_token(next).send().await.doing(doing)?;
        match answer.status() {
            Some(ChangeSetStatus::CreateComplete) => {
                let changes = answer.changes().iter().filter_map(|change| change.resource_change());
                set.changes.extend(changes.map(Change::of));
                next = answer.next_token().map(str::to_owned);
                if next.is_none() {
                    return Ok(End::Complete);
                }
            }
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) => {
                next = None;
                pace.wait().await;
            }
            other => {
                let reason = answer.status_reason().unwrap_or("no reason given");
                if other == Some(&ChangeSetStatus::Failed) && says_no_change(reason) {
                    return Ok(End::Empty);
                }
                if base == Base::LiveState && other == Some(&ChangeSetStatus::Failed) && is_obstacle(reason) {
                    let changes = answer.changes().iter().filter_map(|change| change.resource_change()).map(Change::of);
                    return Ok(End::Obstacle(with_names(reason, changes)));
                }
                let failure = Error::failed(format!("{doing} failed."));
                // That they cannot be read must not hide what is known.
                let details = validation_failures(clients, set).await.unwrap_or_else(|error| vec![error.to_string()]);
                let failure = details.into_iter().fold(failure, Error::cause);
                let status = other.map_or("unknown", ChangeSetStatus::as_str);
                return Err(failure.cause(format_args!("change set {status}: {reason}")));
            }
        }
    }
}

/// What CloudFormation's validation before a deployment has found. The change set's own reason only says that there is
/// something, and the stack's events say nothing.
async fn validation_failures(clients: &Clients, set: &ChangeSet) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let failed = types::EventFilter::builder().failed_events(true).build();
        let request = clients.cloudformation.describe_events().stack_name(&set.stack_id).change_set_name(&set.name);
        let page = request.filters(failed).set_next_token(next).send().await.doing("Reading why a plan failed")?;
        let events = page.operation_events().iter();
        found.extend(events.filter_map(|event| {
            let reason = event.validation_status_reason().or(event.resource_status_reason())?;
            let resource = event.logical_resource_id().unwrap_or("the template");
            let place = event.validation_path().map(|path| format!(" at {path}")).unwrap_or_default();
            Some(format!("{resource}{place}: {reason}"))
        }));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(found);
        }
    }
}

/// Without a difference a change set fails, with one of two reasons.
fn says_no_change(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

/// Whether it is the look at the live state that fails: AWS replaces nothing that somebody has changed, and who may not read
/// a resource cannot have it compared. An ordinary change set is made all the same then.
fn is_obstacle(reason: &str) -> bool {
    ["replacement of drifted resources", "not authorized", "AccessDenied", "Rate exceeded", "Throttling"]
        .iter()
        .any(|words| reason.contains(words))
}

/// The reason, with the resources that somebody has changed and the template would replace, if AWS lists them.
fn with_names(reason: &str, changes: impl Iterator<Item = Change>) -> String {
    let is_in_the_way = |change: &Change| {
        change.drift.is_some() && change.replacement.as_deref().is_some_and(|replacement| replacement != "False")
    };
    let names: Vec<_> = changes.filter(is_in_the_way).map(|change| change.logical_id).collect();
    if names.is_empty() { reason.to_owned() } else { format!("{reason} ({})", names.join(", ")) }
}

/// Removes a change set that is not wanted, and the empty stack that came into being with it.
pub(super) async fn discard(clients: &Clients, set: &ChangeSet) -> Result<()> {
    let doing = "Removing a plan";
    let request = clients.cloudformation.delete_change_set().stack_name(&set.stack_id).change_set_name(&set.name);
    match request.send().await.doing(doing) {
        Ok(_) => {}
        // Somebody has applied another plan, and the stack is theirs.
        Err(error) if error.has_code(&["ChangeSetNotFound", "ChangeSetNotFoundException"]) => return Ok(()),
        Err(error) => return Err(error),
    }
    if !set.is_new_stack || !find(clients, &set.stack_id).await?.as_ref().is_some_and(Stack::is_shell) {
        return Ok(());
    }
    // Deleting the stack would delete the plans of others with it.
    let others = clients.cloudformation.list_change_sets().stack_name(&set.stack_id).send().await.doing(doing)?;
    let lives = |other: &ChangeSetSummary| {
        use ChangeSetStatus::{DeleteComplete, DeleteFailed, DeleteInProgress, DeletePending};
        !matches!(other.status(), Some(DeletePending | DeleteInProgress | DeleteComplete | DeleteFailed))
    };
    if others.summaries().iter().any(lives) {
        return Ok(());
    }
    let shell = clients.cloudformation.delete_stack().stack_name(&set.stack_id).client_request_token(token());
    shell.send().await.doing(doing).map(drop)
}

/// Starts what the change set says.
pub(super) async fn execute(clients: &Clients, set: &ChangeSet, stack_name: &str) -> Result<()> {
    let request = clients.cloudformation.execute_change_set().stack_name(&set.stack_id).change_set_name(&set.name);
    let request = request.client_request_token(token());
    // AWS's documentation names two different defaults.
    let answer = request.disable_rollback(false).send().await;
    answer.doing(format_args!("Applying the plan of {stack_name}")).map(drop)
}

fn parameters(spec: &StackSpec, updates: Option<&Stack>) -> Vec<Parameter> {
    let at_creation =
        spec.at_creation.iter().filter(|(key, _)| updates.is_none() && !spec.parameters.contains_key(*key));
    let named = spec.parameters.iter().chain(at_creation);
    let named = named.map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value));
    let kept = updates.into_iter().flat_map(|stack| stack.parameters.keys());
    let kept = kept.filter(|key| !spec.parameters.contains_key(*key) && spec.declares(key));
    let kept = kept.map(|key| Parameter::builder().parameter_key(key).use_previous_value(true));
    named.chain(kept).map(|parameter| parameter.build()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_when_a_stack_was_made_is_kept() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let spec = StackSpec {
            name: "FisStackVpc".into(),
            template: crate::render::NETWORK,
            parameters: map(&[]),
            at_creation: map(&[("Zone1", "a")]),
            tags: map(&[]),
            leaves_drift: false,
        };
        let values = |updates: Option<&Stack>| {
            let sent = parameters(&spec, updates).into_iter();
            sent.map(|it| (it.parameter_key.unwrap(), it.parameter_value)).collect::<Vec<_>>()
        };
        assert_eq!(values(None), [("Zone1".to_owned(), Some("a".to_owned()))]);
        let stack = Stack { parameters: map(&[("Zone1", "c")]), ..Stack::named("FisStackVpc") };
        assert_eq!(values(Some(&stack)), [("Zone1".to_owned(), None)]);
    }

    #[test]
    fn both_wordings_of_no_change_are_known() {
        assert!(says_no_change(
            "The submitted information didn't contain changes. Submit different information to create a change set."
        ));
        assert!(says_no_change("No updates are to be performed."));
        assert!(!says_no_change("Parameters: [X] must have values"));
    }
}
