use std::fmt;

use clap::Args;

use super::Context;
use crate::aws::tasks::task_id;
use crate::error::Result;
use crate::lab::interrupt::{Interruption, Step, Trigger, interrupt};

/// Interrupt what runs, by the experiment
///
/// Shows which tasks the experiment would hit, starts it, follows it to its end and the tasks to STOPPED, and says at
/// which index each was stopped. Refuses, with the reason, when it would hit nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop interrupt                  At once
  fis-workshop interrupt --at-index 4     As soon as the running task has written index 4 (or a later one)")]
pub(crate) struct InterruptArgs {
    /// Wait until the running task has written this index
    #[arg(long, value_name = "INDEX", allow_negative_numbers = true)]
    at_index: Option<u64>,
}

/// Interrupts.
///
/// # Errors
/// When there is nothing to interrupt, or the experiment fails.
pub(crate) async fn run(context: &Context, args: InterruptArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    let ui = &context.ui;
    let progress = ui.progress("Looking for tasks");
    let trigger = Trigger { at_index: args.at_index, task_arn: None };
    let interruption = interrupt(&connected.clients, &deployed, trigger, |step| match step {
        Step::Waiting(Some(index)) => {
            progress.now(format!("Waiting until index {index} is written"));
            progress.event(format_args!("Waiting until index {index} is written."));
        }
        Step::Waiting(None) => progress.now("Waiting until the task runs"),
        Step::Targets(targets) => {
            for task in targets {
                ui.note(format_args!(
                    "The experiment hits the task {} ({}).",
                    task_id(&task.task_arn),
                    task.last_status
                ));
            }
        }
        Step::Experiment(experiment) => {
            let text = format!("Experiment {}: {}", experiment.experiment_id, experiment.status);
            progress.event(format_args!("{text}."));
            progress.now(text);
        }
        Step::Again(reason) => ui.note(reason),
        Step::Stopping => progress.now("Waiting until the task is STOPPED"),
    })
    .await?;
    drop(progress);
    ui.result(&interruption)?;
    Ok(0)
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The experiment {} {}.", self.experiment.experiment_id, self.experiment.status)?;
        for hit in &self.tasks {
            let index = match hit.interrupted_at_index {
                Some(index) => format!("after index {index} was written"),
                None => "before it had written anything".to_owned(),
            };
            let code = hit.task.exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
            let reason = hit.task.stopped_reason.as_deref().unwrap_or_default();
            writeln!(f, "The task {} was stopped {index} ({code}): {reason}.", task_id(&hit.task.task_arn))?;
        }
        Ok(())
    }
}
