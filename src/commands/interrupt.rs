use clap::Args;

use super::context::Context;
use crate::aws::experiment::Selection;
use crate::error::Result;
use crate::lab::interrupt::{Trigger, interrupt};

/// Stop what runs with the FIS experiment
///
/// Shows which tasks the experiment would hit, starts it, follows it to its end and the tasks to STOPPED, and says at
/// which index each was stopped. Refuses, with the reason, when it would hit nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop interrupt                At once
  fis-workshop interrupt --at-index 4   When index 4, or a later one, is written
  fis-workshop interrupt --one          One of the tasks that work on the queue")]
pub(crate) struct InterruptArgs {
    /// Wait until a running task has written this index
    #[arg(long, value_name = "INDEX", value_parser = super::numbers::index, allow_negative_numbers = true)]
    at_index: Option<u64>,
    /// Stop one of the running tasks, whichever FIS picks, instead of all
    #[arg(long)]
    one: bool,
}

/// Interrupts.
///
/// # Errors
/// When there is nothing to interrupt, or the experiment fails.
pub(crate) async fn run(context: &Context, args: InterruptArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    let selection = if args.one { Selection::One } else { Selection::All };
    let trigger = Trigger { selection, at_index: args.at_index, task_arn: None };
    let flags = deployed.environment.flag();
    let on_start = || {
        context.after_interruption(format!(
            "An experiment that was started goes on; `fis-workshop status{flags}` shows it."
        ));
    };
    let interruption = interrupt(&context.ui, &connected.clients, &deployed, trigger, on_start).await?;
    context.ui.result(&interruption)?;
    Ok(0)
}
