//! What `up` would change.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::converge::is_overtaken;
use super::{NetworkIds, Scene, StackProgress, Wanted, in_waves, network_spec, workshop_spec};
use crate::aws::images::Images;
use crate::aws::stack::{self, Action, Change, Prepared, Stack, status};
use crate::environment::{Environment, NETWORK_STACK};
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

/// All stacks, prepared as far as that is possible now.
pub(super) struct Preparation {
    /// `None` while somebody is at work on it: then it is followed, and planned afterwards.
    pub(super) network: Option<Prepared>,
    /// Ids of the network, if it is there already.
    pub(super) ids: Option<NetworkIds>,
    pub(super) environments: Vec<PreparedEnvironment>,
}

/// One environment, prepared.
pub(super) struct PreparedEnvironment {
    pub(super) environment: Environment,
    /// `None` before the network's ids are known, or while somebody is at work on it.
    pub(super) prepared: Result<Option<Prepared>>,
    /// There is a stack already.
    exists: bool,
}

/// Looks at the stacks and compares; waits for operations that are under way.
pub(super) async fn prepare(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Preparation> {
    let stacks: BTreeMap<_, _> =
        stack::all(scene.clients).await?.into_iter().map(|stack| (stack.name.clone(), stack)).collect();
    let network = stacks.get(NETWORK_STACK);
    network.map_or(Ok(()), stack::check_ours)?;
    let is_creating = network.is_some_and(|stack| stack.status == "CREATE_IN_PROGRESS");
    let network = if is_creating { None } else { settled(scene, network).await? };
    let complete = network.as_ref().filter(|stack| status::is_updatable(&stack.status));
    let ids = complete.map(NetworkIds::of_stack).transpose()?;
    let environment = |environment: &Environment| {
        let (environment, existing) = (environment.clone(), stacks.get(&environment.stack_name()));
        let ids = ids.as_ref();
        async move {
            let prepared = prepare_environment(scene, &environment, existing, ids, wanted.images).await;
            PreparedEnvironment { environment, prepared, exists: existing.is_some() }
        }
    };
    let environments = in_waves(wanted.environments.iter().map(environment), wanted.parallel);
    let network = async {
        if is_creating {
            return Ok(None);
        }
        planned_now(stack::prepare(scene.clients, network_spec(), network).await)
    };
    let (network, environments) = tokio::join!(network, environments);
    let unplanned = Preparation { network: None, ids, environments };
    match network {
        Ok(network) => Ok(Preparation { network, ..unplanned }),
        Err(error) => {
            unplanned.discard(scene).await?;
            Err(error)
        }
    }
}

async fn prepare_environment(
    scene: Scene<'_>,
    environment: &Environment,
    existing: Option<&Stack>,
    ids: Option<&NetworkIds>,
    images: &Images,
) -> Result<Option<Prepared>> {
    let existing = settled(scene, existing).await?;
    if let Some(stack) = &existing {
        stack::check_ours(stack)?;
    }
    let Some(ids) = ids else { return Ok(None) };
    planned_now(stack::prepare(scene.clients, workshop_spec(environment, ids, images), existing).await)
}

/// Somebody else at work on the stack is no failure: it is followed then, and planned when it is quiet.
fn planned_now(prepared: Result<Prepared>) -> Result<Option<Prepared>> {
    match prepared {
        Err(error) if is_overtaken(&error) => Ok(None),
        prepared => prepared.map(Some),
    }
}

async fn settled(scene: Scene<'_>, stack: Option<&Stack>) -> Result<Option<Stack>> {
    let Some(stack) = stack.filter(|stack| stack.is_busy()) else { return Ok(stack.cloned()) };
    scene.ui.note(format_args!("Something is going on with {} already; following it.", stack.name));
    let mut progress = StackProgress::of_stack(scene.ui, stack);
    stack::settle(scene.clients, &stack.name, |event| progress.show(event)).await
}

impl Preparation {
    /// The plan to show; environments that cannot be planned are not in it.
    pub(super) fn plan(&self) -> Result<Plan> {
        let mut stacks = vec![match &self.network {
            Some(prepared) if prepared.action == Action::Recreate => {
                StackPlan { changes: additions(render::NETWORK)?, ..StackPlan::of(prepared) }
            }
            Some(prepared) => StackPlan::of(prepared),
            None => StackPlan { stack: NETWORK_STACK.to_owned(), action: Action::Follow, changes: Vec::new() },
        }];
        for environment in &self.environments {
            match &environment.prepared {
                Ok(Some(prepared)) => stacks.push(StackPlan::of(prepared)),
                // Its parameters are not known yet, but its resources do not depend on them.
                Ok(None) => stacks.push(StackPlan {
                    stack: environment.environment.stack_name(),
                    action: if environment.exists { Action::Update } else { Action::Create },
                    changes: if environment.exists { Vec::new() } else { additions(render::WORKSHOP)? },
                }),
                Err(_) => {}
            }
        }
        let changes = stacks.iter().any(|stack| stack.action != Action::None);
        Ok(Plan { stacks, changes })
    }

    /// Takes back what the planning has left in the account.
    pub(super) async fn discard(&self, scene: Scene<'_>) -> Result<()> {
        let environments = self.environments.iter().filter_map(|it| it.prepared.as_ref().ok()?.as_ref());
        for prepared in self.network.iter().chain(environments) {
            prepared.discard(scene.clients).await?;
        }
        Ok(())
    }
}

impl StackPlan {
    fn of(prepared: &Prepared) -> Self {
        Self { stack: prepared.spec.name.clone(), action: prepared.action, changes: prepared.changes.clone() }
    }
}

fn additions(template: &str) -> Result<Vec<Change>> {
    let resources = render::unconditional_resources(template)?;
    Ok(resources.into_iter().map(|(id, kind)| Change::add(id, kind)).collect())
}

/// The plan, with nothing left behind of it.
pub(crate) async fn plan(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Plan> {
    let preparation = prepare(scene, wanted).await?;
    let plan = preparation.plan()?;
    preparation.discard(scene).await?;
    match preparation.environments.into_iter().find_map(|environment| environment.prepared.err()) {
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
            Action::Follow => "is being created; follow it".to_owned(),
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
