//! What the experiment of an environment would hit: the running tasks that bear its tags, or why there are none.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws::arn::{last_part, task_id};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{self, Fault, Signal};
use crate::aws::patience::Patience;
use crate::aws::stop_reason;
use crate::aws::table::{self, Item};
use crate::aws::tasks::{self, Task};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::record::Recorder;
use crate::target::Target;
use crate::ui::{Progress, Ui};

/// What to interrupt, and when.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trigger<'a> {
    pub(crate) fault: Fault,
    /// As soon as a running task has written this index.
    pub(crate) at_index: Option<u64>,
    /// A task that was just started: ECS lists it a little later.
    pub(crate) task_arn: Option<&'a str>,
}

/// What the experiment of an environment aims at.
pub(super) struct Aim<'a> {
    pub(super) ui: &'a Ui,
    pub(super) record: &'a Recorder,
    pub(super) line: Progress,
    pub(super) clients: &'a Clients,
    pub(super) deployed: &'a Deployed,
    /// Its template.
    pub(super) template: &'a str,
    /// The tags that a target bears.
    tags: BTreeMap<String, String>,
}

impl<'a> Aim<'a> {
    pub(super) async fn take(
        ui: &'a Ui,
        record: &'a Recorder,
        clients: &'a Clients,
        deployed: &'a Deployed,
        fault: Fault,
    ) -> Result<Self> {
        let template = deployed.experiment_template(fault);
        let template =
            template.map_err(|error| if fault.signal == Signal::Kill { cannot_kill(deployed) } else { error })?;
        let tags = experiment::target_tags(clients, template).await?;
        Ok(Self { ui, record, line: ui.progress("Looking for tasks"), clients, deployed, template, tags })
    }

    pub(super) fn is_running_target(&self, task: &Task) -> bool {
        task.is_running() && experiment::is_target(task, &self.tags)
    }

    /// The running tasks that bear the tags, once there is one that has come far enough.
    pub(super) async fn wait_for_targets(&self, trigger: Trigger<'_>) -> Result<Vec<Task>> {
        let Self { line, clients, deployed, tags, .. } = self;
        match trigger.at_index {
            Some(index) => {
                line.now(format!("Waiting until index {index} is written"));
                line.event(format_args!("Waiting until index {index} is written."));
            }
            None => line.now("Waiting until the task runs"),
        }
        let mut pace = clients.pace();
        // ListTasks does not know yet what was started a moment ago, e.g. in the other terminal.
        let late = if clients.target == Target::Local { Duration::ZERO } else { Duration::from_secs(5) };
        let mut patience = Patience::new(clients, late);
        let mut seen = None;
        loop {
            let mut active = tasks::active(clients, deployed.cluster()?).await?;
            if let Some(arn) = trigger.task_arn.filter(|arn| active.iter().all(|task| task.task_arn != **arn)) {
                let task = tasks::get(clients, deployed, arn).await?;
                if task.should_run() { active.push(task) } else { seen = Some(task) }
            }
            let tagged: Vec<Task> = active.iter().filter(|task| experiment::is_target(task, tags)).cloned().collect();
            if tagged.is_empty() {
                if active.is_empty() && seen.is_none() && patience.wait().await {
                    continue;
                }
                return Err(self.refusal(trigger.at_index, &active, seen).await?);
            }
            if let Some(index) = trigger.at_index {
                self.check_batch(index, &tagged)?;
            }
            let running: Vec<Task> = tagged.iter().filter(|task| self.is_running_target(task)).cloned().collect();
            if !running.is_empty() && self.is_time(trigger.at_index, &running).await? {
                return Ok(running);
            }
            seen = tagged.into_iter().next();
            pace.wait().await;
        }
    }

    /// An index that none of the tasks will ever write is not waited for.
    pub(super) fn check_batch(&self, index: u64, tasks: &[Task]) -> Result<()> {
        let of_environment = self.deployed.batch_size()?;
        let size = tasks.iter().map(|task| task.batch_size.unwrap_or(of_environment)).max().unwrap_or(of_environment);
        if index < size {
            return Ok(());
        }
        let last = size.saturating_sub(1);
        Err(Error::usage(format!("Index {index} is never written: the last index of the batch is {last}."))
            .hint("Choose one below that: after the last index, the task ends by itself."))
    }

    /// Whether one of the running tasks has come far enough.
    async fn is_time(&self, at_index: Option<u64>, running: &[Task]) -> Result<bool> {
        let Some(index) = at_index else { return Ok(true) };
        let items = table::items(self.clients, self.deployed).await?;
        self.record.items(&items);
        let last = running.iter().filter_map(|task| last_index(&items, task)).max();
        if let Some(last) = last {
            self.line.now(format!("Index {last} is written, waiting for {index}"));
        }
        Ok(last.is_some_and(|last| last >= index))
    }

    /// Why there is nothing to interrupt, by what ECS says of the tasks.
    pub(super) async fn refusal(&self, at_index: Option<u64>, active: &[Task], seen: Option<Task>) -> Result<Error> {
        let Self { clients, deployed, tags, .. } = self;
        let flags = deployed.environment.flag();
        if let Some(task) = seen {
            let task = tasks::get(clients, deployed, &task.task_arn).await?;
            return Ok(ended_before(&task, at_index, &flags));
        }
        if let Some(task) = active.iter().find(|task| experiment::is_target(task, tags)) {
            let id = task_id(&task.task_arn);
            return Ok(Error::failed(format!(
                "The experiment hit nothing: the task {id} is still {}.",
                task.last_status
            ))
            .cause("the experiment looks for tasks that are RUNNING")
            .hint(format!("`fis-workshop interrupt{flags}` waits until it runs.")));
        }
        if let Some(task) = active.first() {
            let wanted: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let id = task_id(&task.task_arn);
            return Ok(Error::failed(format!("The experiment would hit nothing: the task {id} runs without the tag {}.", wanted.join(", ")))
                .cause("a task gets the tags of its definition only if it is told to when it is run, by `propagateTags: TASK_DEFINITION`")
                .hint(format!("Stop it and start it with `fis-workshop run original{flags}` (or another variant), or with `aws ecs run-task --propagate-tags TASK_DEFINITION`.")));
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
        Ok(refusal.hint(format!(
            "`fis-workshop run original{flags}` (or another variant) starts a task, in another terminal."
        )))
    }
}

/// The action is one for tasks that were made for it.
fn cannot_kill(deployed: &Deployed) -> Error {
    let environment = &deployed.environment;
    Error::failed(format!(
        "The environment {environment} has no experiment that kills: its template lacks the SSM agent."
    ))
    .cause(
        "on AWS, aws:ecs:task-kill-process sends its signal through that agent, a container beside the worker in the \
             task definition",
    )
    .hint(
        "On the local endpoint, which needs no agent, `fis-workshop up` makes the experiment. On AWS, `interrupt` \
             without `--signal kill` stops the task as ECS does.",
    )
}

/// A task that has ended, or is on its way there, is no target any more: a failure to start is told as such.
fn ended_before(task: &Task, at_index: Option<u64>, flags: &str) -> Error {
    let id = task_id(&task.task_arn);
    if task.is_stopped() && task.started_at.is_none() {
        return stop_reason::failure(format!("The task {id} did not start."), task);
    }
    let moment = at_index.map_or_else(|| "the experiment".to_owned(), |index| format!("index {index} was written"));
    let below = if at_index.is_some() { "; choose an index below its last" } else { "" };
    Error::failed(format!("The task {id} ended before {moment}."))
        .cause(task.stopped_reason.as_deref().unwrap_or("ECS names no reason"))
        .hint(format!("`fis-workshop run original{flags}` (or another variant) starts another one{below}."))
}

/// The highest index that `task` has written and nobody has written again.
pub(super) fn last_index(items: &[Item], task: &Task) -> Option<u64> {
    let id = task_id(&task.task_arn);
    items.iter().filter(|item| item.task_id == id).map(|item| item.item_index).max()
}

/// Other clusters of the lab with tasks that bear the tags.
async fn elsewhere(clients: &Clients, deployed: &Deployed, tags: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for arn in tasks::clusters(clients).await? {
        let cluster = last_part(&arn).to_owned();
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
