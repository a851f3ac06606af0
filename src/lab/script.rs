//! The chapter, step by step: run, interrupt, run again; clear; the same with the improved worker.

use super::follow::follow;
use super::interrupt::{Step, Trigger, interrupt};
use super::network;
use super::report::{Report, Verdict};
use super::verdict::{Evidence, Outcome, judge};
use crate::aws::clients::Clients;
use crate::aws::deployed::{Deployed, Variant};
use crate::aws::experiment::Experiment;
use crate::aws::stop_reason;
use crate::aws::table;
use crate::aws::tasks::{self, Overrides, Task, task_id};
use crate::error::{Error, Result};
use crate::setup::Scene;
use crate::ui::{BUSY, FAINT, GOOD, NOTICE, Ui, paint};

/// How the lab is played.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// Which variants, in which order.
    pub(crate) variants: Vec<Variant>,
    /// The index after which each is interrupted.
    pub(crate) at_index: u64,
    /// Items of a batch.
    pub(crate) batch_size: u64,
    /// Seconds an item takes.
    pub(crate) item_seconds: f64,
}

/// Plays the script in the environment.
///
/// # Errors
/// When AWS refuses, or something else runs in the environment.
pub(crate) async fn play(scene: Scene<'_>, deployed: &Deployed, script: &Script) -> Result<Report> {
    let network = network::ready(scene.clients, |_| {});
    let (active, ()) = tokio::try_join!(tasks::active(scene.clients, deployed.cluster()?), network)?;
    if let Some(task) = active.first() {
        return Err(Error::failed(format!(
            "The task {} runs in the environment {}; the lab needs it for itself.",
            task_id(&task.task_arn),
            deployed.environment
        ))
        .hint("Wait for its end, or choose another environment with `--env`."));
    }
    let mut variants = Vec::new();
    for variant in &script.variants {
        let stage = Stage { ui: scene.ui, clients: scene.clients, deployed, script, variant: *variant };
        variants.push(stage.play().await?);
    }
    let holds = variants.iter().all(Outcome::holds);
    Ok(Report {
        target: scene.settings.target,
        environment: deployed.environment.clone(),
        verdict: if holds { Verdict::Pass } else { Verdict::Fail },
        batch_size: script.batch_size,
        item_seconds: script.item_seconds,
        at_index: script.at_index,
        variants,
        deleted_stacks: Vec::new(),
        survivors: Vec::new(),
    })
}

/// One variant's turn.
#[derive(Clone, Copy)]
struct Stage<'a> {
    ui: &'a Ui,
    clients: &'a Clients,
    deployed: &'a Deployed,
    script: &'a Script,
    variant: Variant,
}

impl Stage<'_> {
    async fn play(self) -> Result<Outcome> {
        let Self { ui, clients, deployed, script, variant } = self;
        ui.note(paint(BUSY, format_args!("--- {variant} ---")));
        let cleared = table::clear(clients, deployed).await?;
        ui.note(format_args!("Cleared the table ({cleared} items)."));
        let first = self.run().await?;
        let (interrupted, experiment) = tokio::try_join!(self.follow(&first), self.interrupt(&first))?;
        let items_after_interruption = table::items(clients, deployed).await?;
        let last = items_after_interruption.iter().map(|item| item.item_index).max();
        let last = last.map_or_else(|| "anything was written".to_owned(), |index| format!("index {index} was written"));
        ui.note(format_args!("{} The task was stopped after {last}. Running it again.", paint(NOTICE, '!')));
        let second = self.run().await?;
        let restarted = self.follow(&second).await?;
        let evidence = Evidence {
            variant,
            batch_size: script.batch_size,
            item_seconds: script.item_seconds,
            at_index: script.at_index,
            experiment,
            interrupted,
            items_after_interruption,
            restarted,
            items: table::items(clients, deployed).await?,
        };
        let outcome = judge(&evidence);
        let good = if outcome.holds() { paint(GOOD, '✓') } else { paint(NOTICE, '✗') };
        let Outcome { items, items_redone, .. } = &outcome;
        ui.note(format_args!("{good} {variant}: {items} items in the table, {items_redone} of them done twice."));
        Ok(outcome)
    }

    async fn run(self) -> Result<Task> {
        let overrides =
            Overrides { item_seconds: Some(self.script.item_seconds), batch_size: Some(self.script.batch_size) };
        let on_wait = |reason: &str| self.ui.note(format_args!("{reason}. Trying again."));
        let task = tasks::run(self.clients, self.deployed, self.variant, overrides, on_wait).await?;
        self.ui.note(format_args!("Started the task {}.", task_id(&task.task_arn)));
        Ok(task)
    }

    async fn follow(self, task: &Task) -> Result<(Task, Vec<String>)> {
        let mut log = Vec::new();
        let task = follow(self.clients, self.deployed, self.variant, &task.task_arn, |line| {
            self.ui.note(paint(FAINT, format_args!("  {} | {}", self.variant, line.message)));
            log.push(line.message.clone());
            Ok(())
        })
        .await?;
        // Never started: no evidence, and the reason is what the user needs.
        if task.exit_code.is_none() {
            return Err(stop_reason::failure(format!("The task {} did not run.", task_id(&task.task_arn)), &task));
        }
        Ok((task, log))
    }

    async fn interrupt(self, task: &Task) -> Result<Experiment> {
        let trigger = Trigger { at_index: Some(self.script.at_index), task_arn: Some(&task.task_arn) };
        let interruption = interrupt(self.clients, self.deployed, trigger, |step| match step {
            Step::Waiting(_) => {}
            Step::Targets(targets) => {
                let ids: Vec<_> = targets.iter().map(|task| task_id(&task.task_arn)).collect();
                self.ui.note(format_args!(
                    "Index {} is written: starting the experiment. It hits {}.",
                    self.script.at_index,
                    ids.join(", ")
                ));
            }
            Step::Experiment(experiment) => {
                self.ui.note(format_args!("  experiment {} {}", experiment.experiment_id, experiment.status));
            }
            Step::Again(reason) => self.ui.note(format_args!("  {reason}")),
            Step::Stopping => {}
        })
        .await?;
        Ok(interruption.experiment)
    }
}
