use std::fmt;

use clap::Args;
use serde::Serialize;

use super::running_tasks;
use crate::aws::clients::Clients;
use crate::commands::context::Context;
use crate::endpoint::{self, StateDir};
use crate::error::Result;

/// Stop the endpoint
///
/// Its state stays. Tasks that run go on, and are found again by the next start.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fis-workshop local stop")]
pub(super) struct StopArgs {}

#[derive(Debug, Serialize)]
struct Stopped {
    stopped: bool,
    pid: Option<u32>,
    running_tasks: usize,
}

/// Stops it, if it runs.
pub(super) async fn run(context: &Context, _args: StopArgs) -> Result<u8> {
    let state = StateDir::new(&context.settings.state_dir);
    let running_tasks = match state.running()? {
        Some(record) => match count(context, &record).await {
            Ok(count) => count,
            Err(error) => {
                context.ui.warn(format_args!("The endpoint does not say which tasks run: {error}"));
                0
            }
        },
        None => 0,
    };
    let record = endpoint::stop(&state).await?;
    context.ui.result(&Stopped { stopped: record.is_some(), pid: record.map(|record| record.pid), running_tasks })?;
    Ok(0)
}

async fn count(context: &Context, record: &endpoint::Record) -> Result<usize> {
    let clients = Clients::local(&context.settings, record)?;
    Ok(running_tasks(&clients).await?.len())
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            None => return writeln!(f, "The local endpoint does not run."),
            Some(pid) => writeln!(f, "Stopped the local endpoint (pid {pid}).")?,
        }
        if self.running_tasks > 0 {
            writeln!(f, "{} tasks go on; `fis-workshop local start` finds them again.", self.running_tasks)?;
        }
        Ok(())
    }
}
