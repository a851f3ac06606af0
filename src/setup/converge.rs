//! One stack on its way to what it should be, whoever gets in between.

use super::Scene;
use super::plan::StackPlan;
use crate::aws::service_roles::{self, Service};
use crate::aws::stack::{self, Action, Event, Proposal, Stack, StackSpec};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// How often to begin again when another `up` gets in between plan and application.
const ATTEMPTS: usize = 5;

/// A stack that is complete, and what was done with it.
#[derive(Debug, Clone)]
pub(crate) struct Converged {
    pub(crate) stack: Stack,
    pub(crate) action: Action,
}

/// Executes what was proposed, or what is proposed now; begins again when that was overtaken.
///
/// # Errors
/// When AWS refuses or the stack fails.
pub(super) async fn converge(
    scene: Scene<'_>,
    spec: &StackSpec,
    proposal: Option<Proposal>,
    mut on_event: impl FnMut(&Event),
) -> Result<Converged> {
    let mut proposal = proposal;
    let mut has_role = false;
    let mut attempt = 1;
    loop {
        match step(scene, spec, proposal.take(), &mut on_event).await {
            Err(error) if attempt < ATTEMPTS && is_overtaken(&error) => {}
            // The first cluster of an account needs a role that is there for the second. IAM makes it known late.
            Err(error) if attempt < ATTEMPTS && service_roles::is_lacking(&error) => {
                if !has_role {
                    scene.ui.note("The account has no role AWSServiceRoleForECS yet: creating it.");
                    service_roles::create(scene.clients, Service::Ecs).await?;
                    has_role = true;
                }
            }
            other => return other,
        }
        attempt += 1;
    }
}

async fn step(
    scene: Scene<'_>,
    spec: &StackSpec,
    proposal: Option<Proposal>,
    mut on_event: impl FnMut(&Event),
) -> Result<Converged> {
    let proposal = match proposal {
        Some(proposal) => proposal,
        None => {
            let existing = stack::settle(scene.clients, &spec.name, &mut on_event).await?;
            let proposal = stack::propose(scene.clients, spec.clone(), existing).await?;
            // Nobody has seen a plan of it.
            StackPlan::of(&proposal).by_hand().iter().for_each(|line| scene.ui.note(line));
            proposal
        }
    };
    let stack = stack::execute(scene.clients, &proposal, on_event).await?;
    if proposal.changes.iter().any(|change| change.drift.is_some()) {
        look_again(scene, &proposal, &stack).await?;
    }
    Ok(Converged { stack, action: proposal.action })
}

/// That the stack is complete is no proof that what somebody had changed is back. Looked at once: CloudFormation sees drift
/// where there is none, too (a `Ref` to a composite identifier, for example), and would be asked for ever.
async fn look_again(scene: Scene<'_>, done: &Proposal, stack: &Stack) -> Result<()> {
    let next = stack::propose(scene.clients, done.spec.clone(), Some(stack.clone())).await?;
    next.discard(scene.clients).await?;
    let was_drifted = |id: &str| done.changes.iter().any(|change| change.drift.is_some() && change.logical_id == id);
    let still = next.changes.iter().filter(|change| change.drift.is_some() && was_drifted(&change.logical_id));
    let names: Vec<&str> = still.map(|change| change.logical_id.as_str()).collect();
    if !names.is_empty() {
        let anew = Environment::of_stack(&stack.name).map(|it| it.flag());
        let anew = anew.map(|flag| format!(" `fis-workshop regenerate{flag}` makes the environment anew."));
        let anew = anew.unwrap_or_default();
        scene.ui.warn(format_args!(
            "{}: by CloudFormation's look, {} still differs from the template.{anew}",
            stack.name,
            names.join(", ")
        ));
    }
    Ok(())
}

/// Another `up`, or the last request of one that was killed, has got in between: CloudFormation drops the other plans
/// of a stack when it applies one.
pub(super) fn is_overtaken(error: &Error) -> bool {
    error.has_code(&[
        "AlreadyExistsException",
        "ChangeSetNotFound",
        "ChangeSetNotFoundException",
        "InvalidChangeSetStatus",
        "InvalidChangeSetStatusException",
    ]) || (error.has_code(&["ValidationError"])
        && ["_IN_PROGRESS", "already exists"].iter().any(|text| error.aws_message().contains(text)))
}
