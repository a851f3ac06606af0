//! Taking down, and proving that nothing is left.

use std::fmt;
use std::time::Instant;

use aws_sdk_cloudformation::types::StackStatus;
use serde::Serialize;

use super::progress::{StackProgress, Tally};
use super::{Scene, in_waves};
use crate::aws::arn::task_id;
use crate::aws::cost;
use crate::aws::experiment;
use crate::aws::guard_duty;
use crate::aws::own;
use crate::aws::pace::Pace;
use crate::aws::stack::{self, Stack};
use crate::aws::survivors::{self, Gone, Search, Survivor};
use crate::aws::tasks::{self, Task};
use crate::aws::watchdog;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Error, Result};
use crate::target::Target;

/// What was taken down.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Down {
    /// ARNs of the tasks that were stopped.
    pub(crate) stopped_tasks: Vec<String>,
    pub(crate) deleted_stacks: Vec<String>,
    /// The environments that are there, which keep the network: others, and those that could not be taken down.
    pub(crate) remaining_environments: Vec<Environment>,
    /// Those that were named and have no stack.
    pub(crate) unknown_environments: Vec<Environment>,
    /// What a network that stays costs, in US dollars an hour, about; only on AWS.
    pub(crate) network_hourly_usd: Option<f64>,
    /// What is left and should not be.
    pub(crate) survivors: Vec<Survivor>,
    /// ARNs that AWS's index of tags still lists, and no service has.
    pub(crate) only_in_tag_index: Vec<String>,
    /// What could not be taken down, and why; in the way of nothing else.
    #[serde(skip)]
    pub(crate) failures: Vec<Error>,
}

impl Down {
    /// Nothing of the lab is in the account any more.
    pub(crate) fn left_nothing(&self) -> bool {
        self.remaining_environments.is_empty() && self.survivors.is_empty() && self.failures.is_empty()
    }
}

/// What is taken down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unwanted<'a> {
    pub(crate) environments: &'a [Environment],
    /// They are all that there are, however many: one that resists is listed with what survives.
    pub(crate) all: bool,
    /// The network as well, when no environment is left.
    pub(crate) network: bool,
    pub(crate) parallel: usize,
}

/// How often to begin again when a stack has come while others went: the last request of an `up` that was killed may
/// still be under way when `down` looks for stacks.
const PASSES: usize = 3;

/// Stops the tasks, deletes the stacks, and looks for what is left.
///
/// # Errors
/// When AWS refuses, or the only stack that was to go belongs to somebody else or is protected.
pub(crate) async fn down(scene: Scene<'_>, unwanted: Unwanted<'_>) -> Result<Down> {
    let mut down = Down::default();
    for _ in 0..PASSES {
        down.failures.clear();
        pass(scene, unwanted, &mut down).await?;
        if !down.failures.is_empty() || !down.survivors.iter().any(|survivor| survivor.kind == "stack") {
            break;
        }
    }
    Ok(down)
}

async fn pass(scene: Scene<'_>, unwanted: Unwanted<'_>, down: &mut Down) -> Result<()> {
    let stacks = stack::all(scene.clients).await?;
    let there: Vec<_> = stacks.iter().filter_map(|stack| Environment::of_stack(&stack.name)).collect();
    down.note_there(unwanted.environments, &there);
    let network = stacks.iter().find(|stack| stack.name == NETWORK_STACK);
    let network = network.filter(|_| unwanted.network && down.remaining_environments.is_empty());
    network.map_or(Ok(()), stack::check_deletable)?;
    let tally = Tally::new(scene.ui, unwanted.environments.len(), unwanted.parallel, "taken down");
    let tally = &tally;
    let work = unwanted.environments.iter().map(|environment| {
        let stack = stacks.iter().find(|stack| stack.name == environment.stack_name());
        async move {
            let gone = take_down(scene, environment, stack, tally).await;
            tally.one_done(environment, gone.as_ref().err());
            gone.map_err(|error| (stack, error))
        }
    });
    for gone in in_waves(work, unwanted.parallel).await {
        match gone {
            Ok(gone) => {
                down.stopped_tasks.extend(gone.stopped_tasks);
                down.note_deleted(gone.stack);
            }
            Err((stack, error)) => {
                down.remaining_environments.extend(stack.and_then(|stack| Environment::of_stack(&stack.name)));
                let is_one = unwanted.environments.len() == 1 && !unwanted.all;
                down.failures.push(if is_one { survived(scene, stack, error).await? } else { error });
            }
        }
    }
    down.remaining_environments.sort_unstable_by_key(ToString::to_string);
    // As long as an environment's security group or subnet is in use, the network cannot go.
    let network_goes = unwanted.network && down.remaining_environments.is_empty() && down.failures.is_empty();
    if let Some(network) = network.filter(|_| network_goes) {
        match delete_network(scene, network).await {
            Ok(()) => down.note_deleted(Some(network.name.clone())),
            Err(error) => down.failures.push(survived(scene, Some(network), error).await?),
        }
    }
    let stays = !network_goes && stacks.iter().any(|stack| stack.name == NETWORK_STACK);
    down.network_hourly_usd = (stays && scene.clients.target == Target::Aws).then_some(cost::NETWORK);
    let gone = if network_goes { Gone::Everything } else { Gone::Environments(unwanted.environments) };
    let search = look_for_survivors(scene, gone).await?;
    (down.survivors, down.only_in_tag_index) = (search.survivors, search.only_indexed);
    Ok(())
}

/// A stack that CloudFormation could not delete is one of the survivors, and what is left of it is listed. Anything else
/// that went wrong, a refusal or no answer, ends the command.
async fn survived(scene: Scene<'_>, stack: Option<&Stack>, error: Error) -> Result<Error> {
    let Some(stack) = stack else { return Err(error) };
    match stack::find(scene.clients, &stack.id).await? {
        Some(stack) if stack.status == StackStatus::DeleteFailed => Ok(error),
        _ => Err(error),
    }
}

impl Down {
    /// At the beginning of a pass. What an earlier pass has deleted was there.
    fn note_there(&mut self, unwanted: &[Environment], there: &[Environment]) {
        let deleted = |environment: &Environment| self.deleted_stacks.contains(&environment.stack_name());
        let unknown = unwanted.iter().filter(|wanted| !there.contains(wanted) && !deleted(wanted));
        self.unknown_environments = unknown.cloned().collect();
        self.remaining_environments = there.iter().filter(|other| !unwanted.contains(other)).cloned().collect();
    }

    fn note_deleted(&mut self, stack: Option<String>) {
        self.deleted_stacks.extend(stack.filter(|name| !self.deleted_stacks.contains(name)));
    }
}

/// What has gone with an environment.
#[derive(Debug, Default)]
pub(super) struct TakenDown {
    stopped_tasks: Vec<String>,
    stack: Option<String>,
}

/// Ends whatever runs in the environment, then deletes its stack, and what is in none. Without a stack of ours, a cluster of
/// that name is somebody else's.
pub(super) async fn take_down(
    scene: Scene<'_>,
    environment: &Environment,
    stack: Option<&Stack>,
    tally: &Tally,
) -> Result<TakenDown> {
    let Some(stack) = stack else {
        own::remove(scene.clients, environment).await?;
        return Ok(TakenDown::default());
    };
    stack::check_deletable(stack)?;
    watchdog::send_to_sleep(scene.clients, stack).await?;
    experiment::stop_running(scene.clients, environment, |_| {}).await?;
    let cluster = environment.cluster_name();
    let line = scene.ui.progress(format!("{cluster}: looking for tasks"));
    let on_wait = |left: &[Task]| line.now(format!("{cluster}: waiting until {} tasks are STOPPED", left.len()));
    let stopped_tasks = tasks::stop_all(scene.clients, &cluster, "Task stopped by fis-workshop", on_wait).await?;
    drop(line);
    own::remove(scene.clients, environment).await?;
    for arn in &stopped_tasks {
        scene.ui.note(format_args!("Stopped the task {}.", task_id(arn)));
    }
    delete(scene, stack, &mut tally.one(StackProgress::of_stack(scene.ui, stack))).await?;
    Ok(TakenDown { stopped_tasks, stack: Some(stack.name.clone()) })
}

async fn delete_network(scene: Scene<'_>, network: &Stack) -> Result<()> {
    // A network whose making failed has none.
    if let Ok(vpc) = network.output("VpcId") {
        let tell = |endpoints: &str| {
            scene.ui.note(format_args!("GuardDuty has put an endpoint into the network: {endpoints} goes with it."));
        };
        guard_duty::remove(scene.clients, vpc, tell).await?;
    }
    delete(scene, network, &mut StackProgress::of_stack(scene.ui, network)).await
}

async fn delete(scene: Scene<'_>, stack: &Stack, progress: &mut StackProgress) -> Result<()> {
    // An operation under way is followed to its end first: CloudFormation refuses to delete in the middle of an update.
    let settled = if stack.is_busy() && stack.status != StackStatus::DeleteInProgress {
        stack::settle(scene.clients, &stack.id, |event| progress.show(event)).await?
    } else {
        Some(stack.clone())
    };
    match settled {
        Some(stack) if stack.status != StackStatus::DeleteComplete => {
            stack::delete(scene.clients, &stack, |event| progress.show(event)).await
        }
        _ => Ok(()),
    }
}

/// AWS forgets names a little after the resources are gone.
async fn look_for_survivors(scene: Scene<'_>, gone: Gone<'_>) -> Result<Search> {
    let begin = Instant::now();
    let mut pace = scene.clients.pace();
    loop {
        let found = survivors::find(scene.clients, gone).await?;
        if found.survivors.is_empty() || begin.elapsed() >= Pace::lateness(scene.clients.place) {
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
        for environment in &self.unknown_environments {
            match environment.likely(&self.remaining_environments) {
                Some(likely) => writeln!(f, "There is no environment {environment}; did you mean {likely}?")?,
                None => writeln!(f, "There is no environment {environment}.")?,
            }
        }
        self.write_what_stays(f)?;
        if !self.only_in_tag_index.is_empty() {
            writeln!(f, "AWS's index of tags still lists what was deleted, as it does for an hour and more:")?;
            self.only_in_tag_index.iter().try_for_each(|arn| writeln!(f, "  {arn}"))?;
        }
        if self.survivors.is_empty() {
            return match (self.failures.is_empty(), self.remaining_environments.is_empty()) {
                (true, true) => writeln!(f, "Nothing is left."),
                (true, false) if !self.deleted_stacks.is_empty() => {
                    writeln!(f, "Nothing else is left of what was taken down.")
                }
                _ => Ok(()),
            };
        }
        writeln!(f, "Still there:")?;
        self.survivors.iter().try_for_each(|survivor| writeln!(f, "  {survivor}"))?;
        match survivors::hourly_usd(&self.survivors) {
            Some(usd) => writeln!(f, "Together they cost {} (list price of us-east-1).", cost::about(usd)),
            None => Ok(()),
        }
    }
}

impl Down {
    fn write_what_stays(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.remaining_environments.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            return Ok(());
        }
        write!(f, "The network stays for the environments that are there: {}", names.join(", "))?;
        match self.network_hourly_usd {
            Some(usd) => writeln!(f, "; it costs {}.", cost::about(usd)),
            None => writeln!(f, "."),
        }
    }
}
