//! What `up` would change.

use std::fmt;

use serde::Serialize;

use super::prepare::{Outlook, Preparation, PreparedEnvironment, prepare};
use super::{Scene, Wanted};
use crate::aws::stack::{Action, Change, Proposal};
use crate::environment::NETWORK_STACK;
use crate::error::Result;
use crate::render;
use crate::ui::{BAD, FAINT, GOOD, NOTICE, paint};

/// What is to be done with the stacks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Plan {
    /// The network first, then each environment.
    pub(crate) stacks: Vec<StackPlan>,
    /// Whether there is anything to do.
    pub(crate) changes: bool,
}

/// What is to be done with one stack.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StackPlan {
    pub(crate) stack: String,
    pub(crate) action: Action,
    /// Resource by resource.
    pub(crate) changes: Vec<Change>,
}

impl Plan {
    /// The plan to show; environments that cannot be planned are not in it.
    pub(super) fn of(preparation: &Preparation) -> Result<Self> {
        let mut stacks = vec![match preparation.network.proposal() {
            Some(proposal) if proposal.action == Action::Recreate => {
                StackPlan { changes: additions(render::NETWORK)?, ..StackPlan::of(proposal) }
            }
            Some(proposal) => StackPlan::of(proposal),
            None => StackPlan::followed(NETWORK_STACK.to_owned()),
        }];
        for environment in &preparation.environments {
            if let Ok(outlook) = &environment.outlook {
                stacks.push(StackPlan::of_environment(environment, outlook)?);
            }
        }
        let changes = stacks.iter().any(|stack| stack.action != Action::None);
        Ok(Self { stacks, changes })
    }
}

impl StackPlan {
    fn of(proposal: &Proposal) -> Self {
        Self { stack: proposal.spec.name.clone(), action: proposal.action, changes: proposal.changes.clone() }
    }

    fn of_environment(environment: &PreparedEnvironment, outlook: &Outlook) -> Result<Self> {
        let stack = environment.environment.stack_name();
        Ok(match outlook {
            Outlook::Proposed(proposal) => Self::of(proposal),
            Outlook::AwaitsNetwork if environment.exists => Self { stack, action: Action::Update, changes: Vec::new() },
            // Its parameters are not known yet, but its resources do not depend on them.
            Outlook::AwaitsNetwork => Self { stack, action: Action::Create, changes: additions(render::WORKSHOP)? },
            Outlook::Busy => Self::followed(stack),
        })
    }

    fn followed(stack: String) -> Self {
        Self { stack, action: Action::Follow, changes: Vec::new() }
    }
}

fn additions(template: &str) -> Result<Vec<Change>> {
    let resources = render::unconditional_resources(template)?;
    Ok(resources.into_iter().map(|(id, kind)| Change::add(id, kind)).collect())
}

/// The plan, with nothing left behind of it.
pub(crate) async fn plan(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Plan> {
    let preparation = prepare(scene, wanted).await?;
    let plan = Plan::of(&preparation)?;
    preparation.discard(scene).await?;
    match preparation.environments.into_iter().find_map(|environment| environment.outlook.err()) {
        Some(error) => Err(error),
        None => Ok(plan),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stacks.iter().try_for_each(|stack| write!(f, "{stack}"))
    }
}

impl fmt::Display for StackPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let todo = match self.action {
            Action::None => "no changes".to_owned(),
            Action::Create => format!("create, {} resources", self.changes.len()),
            Action::Update => format!("update, {} changes", self.changes.len()),
            Action::Recreate => "delete what failed, then create".to_owned(),
            Action::Repair => "complete the rollback of a failed update, then update".to_owned(),
            Action::Follow => "somebody is at work on it; follow that, then look again".to_owned(),
        };
        writeln!(f, "{}: {todo}", self.stack)?;
        for change in &self.changes {
            let (symbol, style) = match change.action.as_str() {
                "Add" | "Import" => ('+', GOOD),
                "Remove" => ('-', BAD),
                _ => ('~', NOTICE),
            };
            let replaced = match change.replacement.as_deref() {
                Some("True") => ", replaced",
                Some("Conditional") => ", perhaps replaced",
                _ => "",
            };
            let about = paint(FAINT, format_args!("({}{replaced})", change.resource_type));
            writeln!(f, "  {} {} {about}", paint(style, symbol), change.logical_id)?;
        }
        Ok(())
    }
}
