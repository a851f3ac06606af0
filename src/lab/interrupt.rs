//! The experiment: wait for the moment, look at what it would hit, start it, follow it and its tasks to the end.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{self, Experiment};
use crate::aws::table::{self, Item};
use crate::aws::tasks::{self, Task, task_id};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// FIS finds tasks by an index of tags that lags behind: a task that has just started may not be in it.
const ATTEMPTS: usize = 5;

/// What is going on.
#[derive(Debug)]
pub enum Step<'a> {
    /// Waits until a task runs, and has written the index.
    Waiting(Option<u64>),
    /// The experiment would hit these.
    Targets(&'a [Task]),
    /// The experiment has a new status.
    Experiment(&'a Experiment),
    /// The experiment was accepted; the tasks are on their way to STOPPED.
    Stopping,
}

/// What the experiment came to.
#[derive(Debug, Clone, Serialize)]
pub struct Interruption {
    /// The experiment.
    pub experiment: Experiment,
    /// The tasks that it hit.
    pub tasks: Vec<InterruptedTask>,
}

/// A task that was hit.
#[derive(Debug, Clone, Serialize)]
pub struct InterruptedTask {
    /// The task, STOPPED.
    #[serde(flatten)]
    pub task: Task,
    /// The highest index that it had written; none if it had written nothing.
    pub interrupted_at_index: Option<u64>,
}

/// Interrupts what runs in the environment; with `at_index`, as soon as a running task has written that index.
///
/// # Errors
/// When there is nothing to interrupt, with the reason; when the experiment fails.
pub async fn interrupt(
    clients: &Clients,
    deployed: &Deployed,
    at_index: Option<u64>,
    mut on_step: impl FnMut(Step<'_>),
) -> Result<Interruption> {
    let template = deployed.experiment_template()?;
    let tags = experiment::target_tags(clients, template).await?;
    on_step(Step::Waiting(at_index));
    let targets = wait_for_targets(clients, deployed, &tags, at_index).await?;
    on_step(Step::Targets(&targets));
    let experiment = run_experiment(clients, template, &mut on_step).await?;
    on_step(Step::Stopping);
    let mut interrupted = Vec::new();
    for target in targets {
        interrupted.push(tasks::wait_stopped(clients, deployed, &target.task_arn).await?);
    }
    let items = table::items(clients, deployed).await?;
    let with_index = |task: Task| InterruptedTask { interrupted_at_index: last_index(&items, &task), task };
    Ok(Interruption { experiment, tasks: interrupted.into_iter().map(with_index).collect() })
}

async fn run_experiment(clients: &Clients, template: &str, on_step: &mut impl FnMut(Step<'_>)) -> Result<Experiment> {
    let mut pace = clients.pace();
    let mut attempt = 1;
    loop {
        let id = experiment::start(clients, template).await?;
        let experiment = experiment::follow(clients, &id, |experiment| on_step(Step::Experiment(experiment))).await?;
        if experiment.status == "completed" {
            return Ok(experiment);
        }
        if !experiment.found_no_target() || attempt == ATTEMPTS {
            return Err(Error::failed(format!("The experiment {id} ended as {}.", experiment.status))
                .cause(experiment.reason)
                .hint("`fis-workshop status` shows what runs; a task that ended by itself cannot be interrupted."));
        }
        attempt += 1;
        pace.wait().await;
    }
}

/// The running tasks that bear the tags, once there is one that has come far enough.
async fn wait_for_targets(
    clients: &Clients,
    deployed: &Deployed,
    tags: &BTreeMap<String, String>,
    at_index: Option<u64>,
) -> Result<Vec<Task>> {
    let mut pace = clients.pace();
    let mut seen = None;
    loop {
        let active = tasks::active(clients, deployed.cluster()?).await?;
        let tagged: Vec<Task> = active.iter().filter(|task| experiment::is_target(task, tags)).cloned().collect();
        if tagged.is_empty() {
            return Err(refusal(clients, deployed, tags, at_index, &active, seen).await?);
        }
        let running: Vec<Task> = tagged.iter().filter(|task| task.last_status == "RUNNING").cloned().collect();
        let is_time = match at_index {
            _ if running.is_empty() => false,
            None => true,
            Some(index) => {
                let items = table::items(clients, deployed).await?;
                running.iter().any(|task| last_index(&items, task).is_some_and(|last| last >= index))
            }
        };
        if is_time {
            return Ok(running);
        }
        seen = tagged.into_iter().next();
        pace.wait().await;
    }
}

/// The highest index that `task` has written and nobody has written again.
fn last_index(items: &[Item], task: &Task) -> Option<u64> {
    let id = task_id(&task.task_arn);
    items.iter().filter(|item| item.task_id == id).map(|item| item.item_index).max()
}

/// Why there is nothing to interrupt.
async fn refusal(
    clients: &Clients,
    deployed: &Deployed,
    tags: &BTreeMap<String, String>,
    at_index: Option<u64>,
    active: &[Task],
    seen: Option<Task>,
) -> Result<Error> {
    let flag = deployed.environment.flag();
    if let Some(task) = seen {
        let task = tasks::get(clients, deployed, &task.task_arn).await?;
        let moment = at_index.map_or_else(|| "the experiment".to_owned(), |index| format!("index {index} was written"));
        return Ok(Error::failed(format!("The task {} ended before {moment}.", task_id(&task.task_arn)))
            .cause(task.stopped_reason.as_deref().unwrap_or("ECS names no reason"))
            .hint(format!(
                "`fis-workshop run{flag} VARIANT --detach` starts another one; choose an index below its last."
            )));
    }
    if let Some(task) = active.first() {
        let wanted: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let id = task_id(&task.task_arn);
        return Ok(Error::failed(format!("The experiment would hit nothing: the task {id} runs without the tag {}.", wanted.join(", ")))
            .cause("a task gets the tags of its definition only if it is told to when it is run, by `propagateTags: TASK_DEFINITION`")
            .hint(format!("Stop it and start it with `fis-workshop run{flag} VARIANT --detach`, or with `aws ecs run-task --propagate-tags TASK_DEFINITION`.")));
    }
    let elsewhere = elsewhere(clients, deployed, tags).await?;
    let refusal = Error::failed(format!(
        "The experiment would hit nothing: no task runs in the cluster {}.",
        deployed.cluster()?
    ));
    let refusal = if elsewhere.is_empty() {
        refusal
    } else {
        let cause = format!(
            "the experiment of this environment is limited to its own cluster, and tasks run in {}",
            elsewhere.join(", ")
        );
        refusal.cause(cause).hint("Name their environment with `--env`.")
    };
    Ok(refusal.hint(format!("`fis-workshop run{flag} VARIANT --detach` starts a task.")))
}

/// Other clusters of the lab with tasks that bear the tags.
async fn elsewhere(clients: &Clients, deployed: &Deployed, tags: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for arn in tasks::clusters(clients).await? {
        let cluster = arn.rsplit('/').next().unwrap_or(&arn).to_owned();
        let is_ours = cluster.starts_with(&Environment::default().cluster_name());
        if is_ours && cluster != deployed.cluster()? {
            let active = tasks::active(clients, &cluster).await?;
            if active.iter().any(|task| experiment::is_target(task, tags)) {
                found.push(cluster);
            }
        }
    }
    Ok(found)
}
