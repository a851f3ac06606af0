//! One stack on its way to what it should be, whoever gets in between.

use super::Scene;
use crate::aws::service_roles::{self, Service};
use crate::aws::stack::{self, Action, Event, Proposal, Stack, StackSpec};
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
            stack::propose(scene.clients, spec.clone(), existing).await?
        }
    };
    let stack = stack::execute(scene.clients, &proposal, on_event).await?;
    Ok(Converged { stack, action: proposal.action })
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
