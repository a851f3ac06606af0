use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::run::{self, Job};
use super::worker;
use crate::aws::own::Worker;
use crate::aws::program::Program;
use crate::aws::tasks::Overrides;
use crate::error::Result;
use crate::lab::silence::Limit;

/// Run a program of your own as the batch job
///
/// It becomes a task of the environment, as the lab's own workers are: with the same variables, the credentials of a task's
/// role, a log, tags by which the experiment finds it. The log is followed to its last line, and the table says what was
/// done; the exit code is the task's. What a worker has to do is one page, docs/your-own-worker.md.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop try -- python3 job.py
  fis-workshop try --item-seconds 1 -- node job.mjs
  fis-workshop interrupt --at-index 4       Stop it, from another terminal")]
pub(crate) struct TryArgs {
    /// The program and its arguments, as you would type them here [default: that of fis-workshop.toml]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// An image instead of a command: on AWS, tasks run nothing else
    #[arg(long, value_name = "URI", conflicts_with = "command")]
    image: Option<String>,
    /// Seconds for each item, instead of those of the environment
    #[arg(long, value_name = "SECONDS", value_parser = super::numbers::item_seconds, allow_negative_numbers = true)]
    item_seconds: Option<f64>,
    /// Items of the batch, instead of those of the environment
    #[arg(long, value_name = "ITEMS", value_parser = super::numbers::batch_size(), allow_negative_numbers = true)]
    batch_size: Option<u64>,
    /// Stop it when it has written neither a line nor an item for so long [default: 30 and the time of two items]
    #[arg(long, value_name = "SECONDS", value_parser = super::numbers::patience)]
    patience: Option<Duration>,
    /// Run it although another task runs in the environment
    #[arg(long)]
    force: bool,
}

/// Runs it.
///
/// # Errors
/// When it cannot be started, another task runs, or ECS refuses.
pub(crate) async fn run(context: &Context, args: TryArgs) -> Result<u8> {
    let worker = match args.image {
        Some(uri) => Worker::Image(uri.parse()?),
        None if args.command.is_empty() => worker::of_file(&context.settings)?,
        None => worker::command(args.command, &context.settings)?,
    };
    let job = Job {
        verb: "try",
        program: Program::Own,
        worker: Some(worker),
        shared_by: None,
        overrides: Overrides { item_seconds: args.item_seconds, batch_size: args.batch_size },
        detach: false,
        force: args.force,
        silence: args.patience.map_or(Limit::Usual, Limit::Given),
    };
    run::start(context, job).await
}
