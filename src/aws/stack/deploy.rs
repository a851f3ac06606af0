//! From what is there to what is wanted: propose, then execute.

use aws_sdk_cloudformation::types::StackStatus;

use super::change_set::{self, Base, Change, ChangeSet, Made};
use super::follow::{Event, Follower};
use super::{Stack, StackSpec, check_ours, delete, find, status};
use crate::aws::clients::{Clients, token};
use crate::environment::Environment;
use crate::error::{Doing, Error, Result};

/// What has to be done with a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// It is as it should be.
    None,
    /// It does not exist.
    Create,
    /// It differs.
    Update,
    /// It failed in a way that AWS takes no update for: delete it, then create it.
    Recreate,
    /// Somebody is at work on it: follow that, then look again.
    Follow,
    /// An update failed, and so did the way back: complete the way back, then update it.
    Repair,
}

/// A stack and what to do with it.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) spec: StackSpec,
    pub(crate) action: Action,
    /// Resource by resource, as far as it is known before a deletion.
    pub(crate) changes: Vec<Change>,
    /// Why what was changed by hand is not looked for.
    pub(crate) obstacle: Option<String>,
    /// The stack as it is.
    existing: Option<Stack>,
    change_set: Option<ChangeSet>,
}

impl Proposal {
    /// The stack, if there is nothing to do with it.
    pub(crate) fn unchanged(&self) -> Option<&Stack> {
        self.existing.as_ref().filter(|_| self.action == Action::None)
    }

    /// Takes back what planning has left in the account.
    pub(crate) async fn discard(&self, clients: &Clients) -> Result<()> {
        match &self.change_set {
            Some(set) => change_set::discard(clients, set).await,
            None => Ok(()),
        }
    }
}

/// The stack once nothing is going on with it any more: another `up` may be at work, or was killed at it.
pub(crate) async fn settle(clients: &Clients, name: &str, mut on_event: impl FnMut(&Event)) -> Result<Option<Stack>> {
    loop {
        let Some(stack) = find(clients, name).await? else { return Ok(None) };
        if !stack.is_busy() {
            return Ok(Some(stack));
        }
        Follower::of_operation(clients, &stack).await?.until_end(&mut on_event).await?;
    }
}

/// Finds out what to do; `existing` is settled.
///
/// # Errors
/// When AWS refuses the template or a parameter, or the stack is in a state that only a person can resolve.
pub(crate) async fn propose(clients: &Clients, mut spec: StackSpec, existing: Option<Stack>) -> Result<Proposal> {
    if let Some(stack) = &existing {
        check_ours(stack)?;
        spec.keep_tags(stack);
    }
    let mut proposal =
        Proposal { spec, action: Action::None, changes: Vec::new(), obstacle: None, existing, change_set: None };
    let action = match &proposal.existing {
        None => Action::Create,
        Some(stack) if stack.is_shell() => Action::Create,
        Some(stack) if status::is_updatable(&stack.status) => Action::Update,
        Some(stack) if stack.status == StackStatus::UpdateRollbackFailed => Action::Repair,
        Some(_) => Action::Recreate,
    };
    if matches!(action, Action::Recreate | Action::Repair) {
        proposal.action = action;
        return Ok(proposal);
    }
    let Proposal { spec, existing, .. } = &proposal;
    let made = match existing.as_ref().filter(|_| action == Action::Update) {
        Some(stack) if spec.leaves_drift && is_current(clients, spec, stack).await? => Made::Nothing,
        Some(stack) if !spec.leaves_drift && is_complete(stack) => {
            match change_set::create(clients, spec, Some(stack), Base::LiveState).await? {
                Made::Obstacle(reason) => {
                    let made = change_set::create(clients, spec, Some(stack), Base::LastDeployment).await?;
                    proposal.obstacle = Some(reason);
                    made
                }
                made => made,
            }
        }
        _ => change_set::create(clients, spec, existing.as_ref(), Base::LastDeployment).await?,
    };
    if let Made::Set(set) = made {
        proposal.action = action;
        proposal.changes.clone_from(&set.changes);
        proposal.change_set = Some(set);
    }
    Ok(proposal)
}

/// Whether its last operation has ended as it should: only then AWS looks at the live state.
fn is_complete(stack: &Stack) -> bool {
    status::meaning(stack.status.as_str()).category == status::Category::Complete
        || stack.status == StackStatus::UpdateRollbackComplete
}

/// The same text, parameters and tags: then there is nothing to change, and no change set is needed to know it.
async fn is_current(clients: &Clients, spec: &StackSpec, stack: &Stack) -> Result<bool> {
    let parameters = spec.parameters.iter().all(|(key, value)| stack.parameters.get(key) == Some(value));
    if !parameters
        || stack.tags != spec.tags
        || status::meaning(stack.status.as_str()).category != status::Category::Complete
    {
        return Ok(false);
    }
    let answer = clients.cloudformation.get_template().stack_name(&stack.id).send().await;
    let answer = answer.doing(format_args!("Reading the template of {}", stack.name))?;
    Ok(answer.template_body().is_some_and(|body| body.trim_end() == spec.template.trim_end()))
}

/// Does what was proposed, which may be nothing, and returns the stack when it is complete.
pub(crate) async fn execute(clients: &Clients, proposal: &Proposal, mut on_event: impl FnMut(&Event)) -> Result<Stack> {
    if let Some(stack) = proposal.unchanged() {
        return Ok(stack.clone());
    }
    let spec = &proposal.spec;
    match (proposal.action, &proposal.change_set, &proposal.existing) {
        (Action::Repair, _, Some(stack)) => {
            let stack = continue_rollback(clients, stack, &mut on_event).await?;
            let next = propose(clients, spec.clone(), Some(stack.clone())).await?;
            match &next.change_set {
                Some(set) => change(clients, spec, set, on_event).await,
                None => Ok(stack),
            }
        }
        (_, Some(set), _) => {
            let drifted = proposal.changes.iter().any(|change| change.drift.is_some());
            // AWS: "restore resources to their actual pre-deployment state".
            let back = |error: Error| error.hint("What was changed by hand is still so: the stack is as it was found.");
            let changed = change(clients, spec, set, on_event).await;
            changed.map_err(|error| if drifted { back(error) } else { error })
        }
        (_, None, existing) => {
            if let Some(stack) = existing {
                delete(clients, stack, &mut on_event).await?;
            }
            let made = change_set::create(clients, spec, None, Base::LastDeployment).await?;
            let Made::Set(set) = made else {
                return Err(Error::failed(format!("The template of {} defines no resources.", spec.name)));
            };
            change(clients, spec, &set, on_event).await
        }
    }
}

/// What kept the stack from going back may be gone by now: then CloudFormation completes the way back when asked to.
async fn continue_rollback(clients: &Clients, stack: &Stack, on_event: impl FnMut(&Event)) -> Result<Stack> {
    let mut follower = Follower::from_now(clients, &stack.id, &stack.name).await?;
    let request = clients.cloudformation.continue_update_rollback().stack_name(&stack.id).client_request_token(token());
    request.send().await.doing(format_args!("Continuing the rollback of {}", stack.name))?;
    let end = follower.until_end(on_event).await?;
    if end.status == StackStatus::UpdateRollbackComplete {
        let gone = || Error::failed(format!("The stack {} is gone.", stack.name));
        return find(clients, &stack.id).await?.ok_or_else(gone);
    }
    let flag = Environment::of_stack(&stack.name).map_or_else(|| " --all".to_owned(), |it| it.flag());
    Err(end.failure(format!("The stack {} cannot go back to what it was ({}).", stack.name, end.status)).hint(format!(
        "Remove what the first cause names and repeat the command, or start afresh: `fis-workshop down{flag}`, then `up`.",
    )))
}

async fn change(clients: &Clients, spec: &StackSpec, set: &ChangeSet, on_event: impl FnMut(&Event)) -> Result<Stack> {
    let shell =
        || Error::failed(format!("The stack {} is gone.", spec.name)).hint("Somebody deleted it; repeat the command.");
    let mut follower = Follower::from_now(clients, &set.stack_id, &spec.name).await?;
    change_set::execute(clients, set, &spec.name).await?;
    let end = follower.until_end(on_event).await?;
    if status::meaning(end.status.as_str()).category != status::Category::Complete {
        return Err(end.failure(format!("The stack {} could not be completed ({}).", spec.name, end.status)));
    }
    find(clients, &set.stack_id).await?.ok_or_else(shell)
}
