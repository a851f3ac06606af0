//! What `up` would change.

use std::fmt;

use serde::Serialize;

use super::{NetworkIds, Scene, StackProgress, network_spec, workshop_spec};
use crate::aws::images::Images;
use crate::aws::stack::{self, Action, Change, Prepared, Stack, status};
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Result;
use crate::render;
use crate::ui::{BAD, FAINT, GOOD, NOTICE, paint};

/// What is to be done with both stacks.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The network first.
    pub stacks: [StackPlan; 2],
    /// Whether there is anything to do.
    pub changes: bool,
}

/// What is to be done with one stack.
#[derive(Debug, Clone, Serialize)]
pub struct StackPlan {
    /// Its name.
    pub stack: String,
    /// What is to be done.
    pub action: Action,
    /// Resource by resource.
    pub changes: Vec<Change>,
}

/// Both stacks, prepared as far as that is possible now.
pub(super) struct Preparation {
    pub(super) network: Prepared,
    /// Ids of the network, if it is there already.
    pub(super) ids: Option<NetworkIds>,
    /// Not before the network's ids are known.
    pub(super) workshop: Option<Prepared>,
    /// The environment's stack as it is.
    pub(super) existing: Option<Stack>,
}

/// Looks at both stacks and compares; waits for operations that are under way.
pub(super) async fn prepare(scene: Scene<'_>, environment: &Environment, images: &Images) -> Result<Preparation> {
    let stack_name = environment.stack_name();
    let (network, existing) = tokio::try_join!(settled(scene, NETWORK_STACK), settled(scene, &stack_name))?;
    let complete = network.as_ref().filter(|stack| status::is_updatable(&stack.status));
    let ids = complete.map(NetworkIds::of_stack).transpose()?;
    let workshop = async {
        match &ids {
            Some(ids) => {
                let spec = workshop_spec(environment, ids, images);
                stack::prepare(scene.clients, spec, existing.clone()).await.map(Some)
            }
            None => Ok(None),
        }
    };
    let network = stack::prepare(scene.clients, network_spec(), network);
    let (network, workshop) = tokio::join!(network, workshop);
    match (network, workshop) {
        (Ok(network), Ok(workshop)) => Ok(Preparation { network, ids, workshop, existing }),
        (Ok(prepared), Err(error)) | (Err(error), Ok(Some(prepared))) => {
            prepared.discard(scene.clients).await?;
            Err(error)
        }
        (Err(error), _) => Err(error),
    }
}

async fn settled(scene: Scene<'_>, name: &str) -> Result<Option<Stack>> {
    let mut progress = None;
    stack::settle(scene.clients, name, |event| {
        let progress = progress.get_or_insert_with(|| {
            scene.ui.note(format_args!("Something is going on with {name} already; following it."));
            StackProgress::new(scene.ui, name)
        });
        progress.show(event);
    })
    .await
}

impl Preparation {
    /// The plan to show.
    pub(super) fn plan(&self, environment: &Environment) -> Result<Plan> {
        let of = |prepared: &Prepared| StackPlan {
            stack: prepared.spec.name.clone(),
            action: prepared.action,
            changes: prepared.changes.clone(),
        };
        let workshop = match &self.workshop {
            Some(prepared) => of(prepared),
            // Its parameters are not known yet, but its resources do not depend on them.
            None => StackPlan {
                stack: environment.stack_name(),
                action: if self.existing.is_some() { Action::Update } else { Action::Create },
                changes: if self.existing.is_some() { Vec::new() } else { additions(render::WORKSHOP)? },
            },
        };
        let mut network = of(&self.network);
        if network.action == Action::Recreate {
            network.changes = additions(render::NETWORK)?;
        }
        let changes = network.action != Action::None || workshop.action != Action::None;
        Ok(Plan { stacks: [network, workshop], changes })
    }

    /// Takes back what the planning has left in the account.
    pub(super) async fn discard(&self, scene: Scene<'_>) -> Result<()> {
        self.network.discard(scene.clients).await?;
        match &self.workshop {
            Some(prepared) => prepared.discard(scene.clients).await,
            None => Ok(()),
        }
    }
}

fn additions(template: &str) -> Result<Vec<Change>> {
    let resources = render::unconditional_resources(template)?;
    Ok(resources.into_iter().map(|(id, kind)| Change::add(id, kind)).collect())
}

/// The plan, with nothing left behind of it.
///
/// # Errors
/// When AWS does not answer or refuses.
pub async fn plan(scene: Scene<'_>, environment: &Environment, images: &Images) -> Result<Plan> {
    let preparation = prepare(scene, environment, images).await?;
    let plan = preparation.plan(environment)?;
    preparation.discard(scene).await?;
    Ok(plan)
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
