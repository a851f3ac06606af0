//! Taking down, and proving that nothing is left.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use super::{Scene, StackProgress};
use crate::aws::pace::Pace;
use crate::aws::stack::{self, Stack};
use crate::aws::survivors::{self, Survivor};
use crate::aws::tasks;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Result;

/// What was taken down.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Down {
    /// ARNs of the tasks that were stopped.
    pub stopped_tasks: Vec<String>,
    /// The stacks that were deleted.
    pub deleted_stacks: Vec<String>,
    /// The other environments, which keep the network.
    pub remaining_environments: Vec<Environment>,
    /// What is left and should not be.
    pub survivors: Vec<Survivor>,
}

impl Down {
    /// Nothing of the lab is in the account any more.
    pub fn left_nothing(&self) -> bool {
        self.remaining_environments.is_empty() && self.survivors.is_empty()
    }
}

/// How often to begin again when a stack has come while others went: the last request of an `up` that was killed may
/// still be under way when `down` looks for stacks.
const PASSES: usize = 3;

/// Stops the tasks and deletes the stacks of `environments`, and with `network` that, too, when no environment is left.
///
/// # Errors
/// When AWS refuses or a stack cannot be deleted.
pub async fn down(scene: Scene<'_>, environments: &[Environment], network: bool) -> Result<Down> {
    let mut down = Down::default();
    for _ in 0..PASSES {
        pass(scene, environments, network, &mut down).await?;
        if !down.survivors.iter().any(|survivor| survivor.kind == "stack") {
            break;
        }
    }
    Ok(down)
}

async fn pass(scene: Scene<'_>, environments: &[Environment], network: bool, down: &mut Down) -> Result<()> {
    let stacks = stack::all(scene.clients).await?;
    let others = stacks.iter().filter_map(|stack| Environment::of_stack(&stack.name));
    down.remaining_environments = others.filter(|other| !environments.contains(other)).collect();
    for environment in environments {
        let cluster = environment.cluster_name();
        let stopped = tasks::stop_all(scene.clients, &cluster, "Task stopped by fis-workshop down").await?;
        for arn in &stopped {
            scene.ui.note(format_args!("Stopped the task {}.", tasks::task_id(arn)));
        }
        down.stopped_tasks.extend(stopped);
        delete_named(scene, &stacks, &environment.stack_name(), down).await?;
    }
    let network_goes = network && down.remaining_environments.is_empty();
    if network_goes {
        delete_named(scene, &stacks, NETWORK_STACK, down).await?;
    }
    down.survivors = look_for_survivors(scene, environments, network_goes).await?;
    Ok(())
}

async fn delete_named(scene: Scene<'_>, stacks: &[Stack], name: &str, down: &mut Down) -> Result<()> {
    let Some(stack) = stacks.iter().find(|stack| stack.name == name) else { return Ok(()) };
    delete(scene, stack).await?;
    if !down.deleted_stacks.contains(&stack.name) {
        down.deleted_stacks.push(stack.name.clone());
    }
    Ok(())
}

async fn delete(scene: Scene<'_>, stack: &Stack) -> Result<()> {
    let mut progress = StackProgress::new(scene.ui, &stack.name);
    // An operation under way is followed to its end first: CloudFormation refuses to delete in the middle of an update.
    let settled = if stack.is_busy() && stack.status != "DELETE_IN_PROGRESS" {
        stack::settle(scene.clients, &stack.id, |event| progress.show(event)).await?
    } else {
        Some(stack.clone())
    };
    match settled {
        Some(stack) if stack.status != "DELETE_COMPLETE" => {
            stack::delete(scene.clients, &stack, |event| progress.show(event)).await
        }
        _ => Ok(()),
    }
}

/// AWS forgets tags and names a little after the resources are gone.
async fn look_for_survivors(scene: Scene<'_>, environments: &[Environment], network: bool) -> Result<Vec<Survivor>> {
    let begin = Instant::now();
    let mut pace = scene.clients.pace();
    loop {
        let found = survivors::find(scene.clients, environments, network).await?;
        if found.is_empty() || begin.elapsed() >= Pace::lateness(scene.clients.place) {
            return Ok(found);
        }
        pace.wait().await;
    }
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stack in &self.deleted_stacks {
            writeln!(f, "Deleted {stack}.")?;
        }
        let others: Vec<_> = self.remaining_environments.iter().map(ToString::to_string).collect();
        if !others.is_empty() {
            writeln!(f, "The network stays for the environments that are left: {}.", others.join(", "))?;
        }
        if self.survivors.is_empty() {
            return writeln!(f, "Nothing is left.");
        }
        writeln!(f, "Still there:")?;
        self.survivors.iter().try_for_each(|survivor| writeln!(f, "  {survivor}"))
    }
}
