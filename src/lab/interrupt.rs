//! The experiment: wait for the moment, start it, follow it and its tasks to the end.

use aws_sdk_fis::types::{ActionsMode, ExperimentStatus};

use super::aim::{Aim, Trigger, last_index};
use super::evidence::{InterruptedTask, Interruption};
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{self, Experiment, Fault, Selection, Signal};
use crate::aws::patience::Patience;
use crate::aws::table;
use crate::aws::tasks::{self, Task};
use crate::error::{Error, Result};
use crate::record::Recorder;
use crate::ui::Ui;

/// Interrupts what runs in the environment, and tells how far it is. `on_start` is called before an experiment is started.
///
/// # Errors
/// When there is nothing to interrupt, with the reason; when the experiment fails.
pub(crate) async fn interrupt(
    ui: &Ui,
    record: &Recorder,
    clients: &Clients,
    deployed: &Deployed,
    trigger: Trigger<'_>,
    on_start: impl Fn(),
) -> Result<Interruption> {
    let aim = Aim::take(ui, record, clients, deployed, trigger.fault).await?;
    let targets = aim.wait_for_targets(trigger).await?;
    let Fault { selection, signal } = trigger.fault;
    let hits = if selection == Selection::One && targets.len() > 1 { "may hit" } else { "hits" };
    for task in &targets {
        ui.note(format_args!("The experiment {hits} the task {} ({}).", task_id(&task.task_arn), task.last_status));
    }
    let experiment = aim.run_experiment(ActionsMode::RunAll, &targets, on_start).await?;
    aim.line.now("Waiting until the task is STOPPED");
    let hit = match (selection, signal) {
        (Selection::All, _) => targets,
        (Selection::One, Signal::Term) => vec![aim.wait_for_hit(&experiment, &targets).await?],
        (Selection::One, Signal::Kill) => aim.resolved(&experiment, targets).await?,
    };
    let mut interrupted = Vec::new();
    for target in hit {
        interrupted.push(tasks::wait_stopped(clients, deployed, &target.task_arn).await?);
    }
    let items = table::items(clients, deployed).await?;
    record.items(&items);
    let with_index = |task: Task| InterruptedTask { interrupted_at_index: last_index(&items, &task), task };
    let tasks: Vec<_> = interrupted.into_iter().map(with_index).collect();
    for hit in &tasks {
        record.task(&hit.task);
        record.hit(&experiment, &hit.task, hit.interrupted_at_index, &items);
    }
    Ok(Interruption { experiment, tasks, items })
}

/// The running tasks that [`interrupt`] would hit now, as soon as there is one; it refuses for the same reasons.
pub(crate) async fn look(ui: &Ui, clients: &Clients, deployed: &Deployed, trigger: Trigger<'_>) -> Result<Vec<Task>> {
    let nobody = Recorder::off();
    let aim = Aim::take(ui, &nobody, clients, deployed, trigger.fault).await?;
    let targets = aim.wait_for_targets(Trigger { at_index: None, ..trigger }).await?;
    if let Some(index) = trigger.at_index {
        aim.check_batch(index, &targets)?;
    }
    Ok(targets)
}

impl Aim<'_> {
    /// Starts the experiment on `targets` and follows it to its end.
    pub(super) async fn run_experiment(
        &self,
        mode: ActionsMode,
        targets: &[Task],
        on_start: impl Fn(),
    ) -> Result<Experiment> {
        let Self { ui, record, line, clients, deployed, template, .. } = self;
        let mut patience = Patience::for_visibility(clients);
        loop {
            on_start();
            let started = experiment::start(clients, template, &mode, |reason| ui.note(reason)).await;
            let id = started.map_err(|error| deployed.without("experiment template", error))?;
            let on_change = |now: &Experiment| {
                record.experiment(now);
                let text = format!("Experiment {id}: {}", now.status);
                ui.note(format_args!("{text}."));
                line.now(text);
            };
            let experiment = experiment::follow(clients, &id, on_change).await?;
            if experiment.status == ExperimentStatus::Completed {
                return Ok(experiment);
            }
            let failure = experiment::failure(&experiment, &deployed.environment);
            if !experiment.found_no_target() {
                return Err(failure);
            }
            let active = tasks::active(clients, deployed.cluster()?).await?;
            if !active.iter().any(|task| self.is_running_target(task)) {
                let why = self.refusal(None, &active, targets.first().cloned()).await?;
                return Err(why.cause(format_args!("experiment {id}: {}", experiment.reason)));
            }
            // FIS finds tasks by an index of tags that lags behind: a task that has just started may not be in it.
            if !patience.wait().await {
                return Err(failure.hint(
                    "The task runs and bears the tag, but FIS does not find it: its index of tags lags behind, or the \
                     experiment's role may not search it (`tag:GetResources`). Repeat the command in a minute.",
                ));
            }
            ui.note("FIS does not find the task by its tag yet: trying again.");
        }
    }

    /// Which of the targets the experiment has picked, by what FIS says: of a process that was killed, ECS does not say by
    /// whom.
    async fn resolved(&self, experiment: &Experiment, targets: Vec<Task>) -> Result<Vec<Task>> {
        let resolved = experiment::resolved_targets(self.clients, &experiment.experiment_id).await?;
        let is_hit = |task: &Task| {
            resolved.iter().any(|target| target.target_information.values().any(|value| *value == task.task_arn))
        };
        Ok(targets.into_iter().filter(is_hit).collect())
    }

    /// Which of the targets the experiment has picked: ECS names the experiment as soon as it is told to stop the task.
    async fn wait_for_hit(&self, experiment: &Experiment, targets: &[Task]) -> Result<Task> {
        let Self { clients, deployed, .. } = self;
        let id = &experiment.experiment_id;
        let arns: Vec<_> = targets.iter().map(|task| task.task_arn.clone()).collect();
        let is_hit = |task: &Task| task.stopped_reason.as_deref().is_some_and(|reason| reason.contains(id));
        let mut patience = Patience::for_visibility(clients);
        loop {
            let tasks = tasks::describe(clients, deployed.cluster()?, &arns, None).await?;
            if let Some(task) = tasks.into_iter().find(is_hit) {
                return Ok(task);
            }
            if !patience.wait().await {
                return Err(Error::failed(format!(
                    "The experiment {id} completed, and ECS says of no task that it stopped it."
                ))
                .hint(format!("`fis-workshop status{}` shows what runs.", deployed.environment.flag())));
            }
        }
    }
}

#[cfg(test)]
#[path = "interrupt_tests.rs"]
mod tests;
