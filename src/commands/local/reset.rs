use std::fmt;

use clap::Args;
use serde::Serialize;

use super::running_tasks;
use crate::aws::clients::Clients;
use crate::aws::tasks;
use crate::commands::context::Context;
use crate::endpoint::{self, Start, StateDir};
use crate::error::{Error, Result};

/// Stop the endpoint and all of its tasks, and delete its state
///
/// Deletes only what the endpoint itself has written to the state directory. Asks first on a terminal, unless `--yes` is given.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fis-workshop local reset")]
pub(super) struct ResetArgs {}

#[derive(Debug, Serialize)]
struct Reset {
    /// Whether the endpoint was running.
    stopped: bool,
    stopped_tasks: Vec<String>,
    state_dir: std::path::PathBuf,
}

/// Resets.
///
/// # Errors
/// When the endpoint does not end or a file cannot be deleted.
pub(super) async fn run(context: &Context, _args: ResetArgs) -> Result<u8> {
    let state = StateDir::new(&context.settings.state_dir);
    confirm(context, &state).await?;
    let stopped = state.is_locked()?;
    let stopped_tasks = match stop_tasks(context, &state).await {
        Ok(stopped) => stopped,
        Err(error) => {
            // A damaged state is what reset is for: it must not be in its way.
            context.ui.warn(format_args!("The tasks that may still run cannot be stopped: {error}"));
            Vec::new()
        }
    };
    endpoint::stop(&state).await?;
    endpoint::delete_state(&state)?;
    context.ui.result(&Reset { stopped, stopped_tasks, state_dir: state.path().to_owned() })?;
    Ok(0)
}

/// Where nobody can be asked, as in a script, it was decided before.
async fn confirm(context: &Context, state: &StateDir) -> Result<()> {
    if context.settings.yes || !state.has_state() {
        return Ok(());
    }
    let directory = state.path().display();
    let question = format!("Stop the local endpoint and all of its tasks, and delete its state in {directory}?");
    match context.ui.ask(&question).await? {
        Some(false) => Err(Error::failed("Nothing was changed.")),
        Some(true) | None => Ok(()),
    }
}

/// Tasks outlive the endpoint, so only an endpoint can stop those of one that is gone.
async fn stop_tasks(context: &Context, state: &StateDir) -> Result<Vec<String>> {
    if !state.has_state() {
        return Ok(Vec::new());
    }
    let how = Start { port: None, region: None, pace: None, deliveries: None, max_image_size: None, automatic: true };
    let started = endpoint::start(state, how).await?;
    let clients = Clients::local(&context.settings, &started.record)?;
    let running = running_tasks(&clients).await?;
    for cluster in tasks::clusters(&clients).await? {
        tasks::stop_all(&clients, &cluster, "Task stopped by fis-workshop local reset", |_| {}).await?;
    }
    Ok(running.into_iter().map(|task| task.task_arn).collect())
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stopped_tasks.len() {
            0 => {}
            1 => writeln!(f, "Stopped a task.")?,
            several => writeln!(f, "Stopped {several} tasks.")?,
        }
        if self.stopped {
            writeln!(f, "Stopped the local endpoint.")?;
        }
        writeln!(f, "Deleted the state of the local endpoint in {}.", self.state_dir.display())
    }
}
