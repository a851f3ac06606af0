use std::fmt;

use clap::Args;
use serde::Serialize;

use super::context::{Connected, Context};
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::stack::Event;
use crate::aws::stop_reason;
use crate::aws::table;
use crate::aws::tasks::{self, Overrides, Task};
use crate::error::{Error, Result};
use crate::lab::follow::follow;
use crate::lab::network;
use crate::lab::variant::Variant;
use crate::ui::{FAINT, Progress, paint};

/// Run the batch job as one task, and follow its log
///
/// The task gets the tags of its definition (without them the experiment does not find it) and runs in a private
/// subnet. The log is followed to its last line; the exit code is the task's.
///
/// The batch job is made to run one task at a time: `run` refuses to start a second one in the same environment.
/// `--force` does it anyway, for example to see that two improved workers never overwrite one another.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop run original
  fis-workshop run improved --item-seconds 1
  fis-workshop run improved --detach        Print the ARN of the task and return")]
pub(crate) struct RunArgs {
    /// Which version of the batch job
    pub(crate) variant: Variant,
    /// Print the ARN of the task and return, without following its log
    #[arg(long)]
    detach: bool,
    /// Seconds for each item, instead of those of the environment
    #[arg(long, value_name = "SECONDS", value_parser = super::numbers::item_seconds, allow_negative_numbers = true)]
    item_seconds: Option<f64>,
    /// Items of the batch, instead of those of the environment
    #[arg(long, value_name = "ITEMS", value_parser = super::numbers::batch_size(), allow_negative_numbers = true)]
    batch_size: Option<u64>,
    /// Run it although another task runs in the environment
    #[arg(long)]
    force: bool,
}

/// What was started.
#[derive(Debug, Serialize)]
struct Started {
    task_arns: Vec<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Ended {
    task_arns: Vec<String>,
    exit_code: Option<i32>,
    tasks: Vec<Task>,
}

/// Runs a task.
///
/// # Errors
/// When another one runs, ECS refuses, or the task did not start.
pub(crate) async fn run(context: &Context, args: RunArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let environment = async {
        let deployed = connected.deployed().await?;
        if !args.force {
            refuse_second(&connected, &deployed).await?;
        }
        Ok::<_, Error>(deployed)
    };
    let (deployed, ()) = tokio::try_join!(environment, wait_for_network(context, &connected))?;
    let overrides = Overrides { item_seconds: args.item_seconds, batch_size: args.batch_size };
    let on_wait = |reason: &str| context.ui.note(format_args!("{reason}. Trying again."));
    let program = args.variant.design().program;
    let task = tasks::run(&connected.clients, &deployed, program, overrides, on_wait).await?;
    if args.detach {
        context.ui.result(&Started { task_arns: vec![task.task_arn] })?;
        return Ok(0);
    }
    context.ui.note(format_args!("Started the task {}.", task_id(&task.task_arn)));
    let state = context.ui.progress("The task is starting");
    let on_state = |task: &Task| show_state(&state, task);
    let task = follow(&connected.clients, &deployed, program, &task.task_arn, on_state, |line| {
        // stdout is for the one JSON document then.
        if context.ui.is_json() {
            context.ui.note(paint(FAINT, &line.message));
            return Ok(());
        }
        context.ui.data(&line.message)
    })
    .await?;
    drop(state);
    report(context, &connected.clients, &deployed, task).await
}

/// Before the first line of the log and after the last one, the state is all that changes.
pub(super) fn show_state(line: &Progress, task: &Task) {
    line.now(format!("The task is {}", task.last_status));
    // How it ended is told by who followed it.
    if !task.is_stopped() {
        line.event(format_args!("The task is {}.", task.last_status));
    }
}

/// Waits for the network, and shows what it waits for.
async fn wait_for_network(context: &Context, connected: &Connected<'_>) -> Result<()> {
    let mut progress = None;
    network::ready(&connected.clients, |event| {
        let progress = progress.get_or_insert_with(|| {
            context.ui.note("The network is still being made; the task is started when it is complete.");
            context.ui.progress("Waiting for the network")
        });
        let Event { logical_id, status, resource_type, .. } = event;
        progress.now(format!("Waiting for the network: {logical_id} {status}"));
        if event.is_settled() {
            progress.event(format_args!("{logical_id} {status} ({resource_type})"));
        }
    })
    .await
}

async fn refuse_second(connected: &Connected<'_>, deployed: &Deployed) -> Result<()> {
    let active = tasks::active(&connected.clients, deployed.cluster()?).await?;
    let Some(task) = active.first() else { return Ok(()) };
    let flags = deployed.environment.flag();
    let what = format!("The task {} runs in this environment already ({}).", task_id(&task.task_arn), task.last_status);
    let error = match deployed.program_of(&task.task_definition_arn) {
        Some(program) => {
            Error::failed(what).hint(format!("`fis-workshop logs {program}{flags} --follow` follows it to its end."))
        }
        None => Error::failed(what),
    };
    Err(error.hint(format!(
        "The job is made to run one task at a time; wait for its end, stop it by `fis-workshop interrupt{flags}`, or \
         add `--force` to run a second one."
    )))
}

async fn report(context: &Context, clients: &Clients, deployed: &Deployed, task: Task) -> Result<u8> {
    let Some(code) = task.exit_code else {
        return Err(stop_reason::failure(format!("The task {} did not start.", task_id(&task.task_arn)), &task));
    };
    let reason = task.stopped_reason.as_deref().unwrap_or("ECS names no reason");
    let reason = reason.trim_end_matches('.');
    match stop_reason::meaning(&task).filter(|_| code != 0) {
        Some(meaning) => {
            context.ui.note(format_args!("The task ended with exit code {code}: {reason}. {}", meaning.what));
            // The worker gave up: in a workshop, mostly for this.
            let lost = if code == 1 { lost_table(clients, deployed).await } else { None };
            context.ui.hint(lost.as_deref().unwrap_or(meaning.remedy));
        }
        None => context.ui.note(format_args!("The task ended with exit code {code}: {reason}.")),
    }
    if code == 0 {
        let flag = deployed.environment.flag();
        context.ui.hint(format_args!("`fis-workshop items{flag}` shows what is in the table now."));
    }
    if context.ui.is_json() {
        let arn = task.task_arn.clone();
        context.ui.json(&Ended { task_arns: vec![arn], exit_code: Some(code), tasks: vec![task] })?;
    }
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}

/// What to do when a worker failed because somebody has deleted its table.
async fn lost_table(clients: &Clients, deployed: &Deployed) -> Option<String> {
    let error = table::items(clients, deployed).await.err()?;
    let is_lost = error.has_code(&["ResourceNotFoundException"]);
    is_lost.then(|| format!("The table is gone: {}.", deployed.environment.remedy()))
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task_arns.iter().try_for_each(|arn| writeln!(f, "{arn}"))
    }
}
