use std::fmt;

use clap::Args;
use futures_util::future::try_join_all;
use serde::Serialize;

use super::context::{Connected, Context};
use crate::aws::arn::{short_id, task_id};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::program::Program;
use crate::aws::stack::Event;
use crate::aws::stop_reason;
use crate::aws::tasks::{self, Overrides, Task};
use crate::aws::{queue, table};
use crate::error::{Error, Result};
use crate::lab::follow::follow;
use crate::lab::network;
use crate::lab::variant::Variant;
use crate::ui::{FAINT, Progress, paint};

/// Run the batch job, and follow its log
///
/// The task gets the tags of its definition (without them the experiment does not find it) and runs in a private
/// subnet. The log is followed to its last line; the exit code is the task's, of several the first one that is not 0.
///
/// The batch job is made to run one task at a time: `run` refuses to start a second one in the same environment.
/// `--force` does it anyway, for example to see that two improved workers never overwrite one another. Only the tasks of
/// `queue` share their work: any number of them may run, and `run` sends the items of the batch to the queue first, unless
/// that has been done since the last `clear`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop run original
  fis-workshop run improved --item-seconds 1
  fis-workshop run improved --detach        Print the ARN of the task and return
  fis-workshop run queue --count 5          Five tasks share the work")]
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
    /// How many tasks share the work of queue [default: 1]
    #[arg(long, value_name = "TASKS", value_parser = clap::value_parser!(u32).range(1..=10), allow_negative_numbers = true)]
    count: Option<u32>,
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
    let design = args.variant.design();
    let shares = design.tasks > 1;
    if args.count.is_some() && !shares {
        return Err(Error::usage(format!("The tasks of {} do not share their work.", design.name))
            .hint("`--count` is for `run queue`."));
    }
    let connected = context.connect().await?;
    let environment = async {
        let deployed = connected.deployed().await?;
        if !args.force {
            refuse_second(&connected, &deployed, shares.then_some(design.program)).await?;
        }
        Ok::<_, Error>(deployed)
    };
    let (deployed, ()) = tokio::try_join!(environment, wait_for_network(context, &connected))?;
    if shares {
        seed(context, &connected, &deployed, args.batch_size).await?;
    }
    let overrides = Overrides { item_seconds: args.item_seconds, batch_size: args.batch_size };
    let on_wait = |reason: &str| context.ui.note(format_args!("{reason}. Trying again."));
    let one = || tasks::run(&connected.clients, &deployed, design.program, overrides, on_wait);
    let tasks = try_join_all((0..args.count.unwrap_or(1)).map(|_| one())).await?;
    if args.detach {
        context.ui.result(&Started { task_arns: tasks.into_iter().map(|task| task.task_arn).collect() })?;
        return Ok(0);
    }
    for task in &tasks {
        context.ui.note(format_args!("Started the task {}.", task_id(&task.task_arn)));
    }
    let followed =
        tasks.iter().map(|task| watch(context, &connected, &deployed, design.program, task, tasks.len() > 1));
    let ended = try_join_all(followed).await?;
    report(context, &connected.clients, &deployed, ended).await
}

/// Follows one task to its end; with `several`, each line says whose it is.
async fn watch(
    context: &Context,
    connected: &Connected<'_>,
    deployed: &Deployed,
    program: Program,
    task: &Task,
    several: bool,
) -> Result<Task> {
    let state = context.ui.progress("The task is starting");
    let on_state = |task: &Task| show_state(&state, task);
    let name = if several { format!("{} | ", short_id(task_id(&task.task_arn))) } else { String::new() };
    follow(&connected.clients, deployed, program, &task.task_arn, on_state, |line| {
        // stdout is for the one JSON document then.
        if context.ui.is_json() {
            context.ui.note(paint(FAINT, format_args!("{name}{}", line.message)));
            return Ok(());
        }
        context.ui.data(&format!("{name}{}", line.message))
    })
    .await
}

/// Sends the items of the batch, if they have not been sent.
async fn seed(context: &Context, connected: &Connected<'_>, deployed: &Deployed, size: Option<u64>) -> Result<()> {
    let size = size.map_or_else(|| deployed.batch_size(), Ok)?;
    let progress = context.ui.progress("Sending the items to the queue");
    let sent = |count: usize| progress.now(format!("Sending the items to the queue: {count} of {size}"));
    match queue::seed(&connected.clients, deployed, size, sent).await? {
        0 => context.ui.note("The items of the batch were sent to the queue before; `clear` starts afresh."),
        count => context.ui.note(format_args!("Sent {count} items to the queue.")),
    }
    Ok(())
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

/// Tasks of a program that shares its work are welcome.
async fn refuse_second(connected: &Connected<'_>, deployed: &Deployed, sharing: Option<Program>) -> Result<()> {
    let active = tasks::active(&connected.clients, deployed.cluster()?).await?;
    let is_in_the_way = |task: &&Task| sharing.is_none() || deployed.program_of(&task.task_definition_arn) != sharing;
    let Some(task) = active.iter().find(is_in_the_way) else { return Ok(()) };
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

/// How the tasks ended; the exit code is the first one that is not 0.
async fn report(context: &Context, clients: &Clients, deployed: &Deployed, tasks: Vec<Task>) -> Result<u8> {
    let mut worst = 0;
    for task in &tasks {
        let code = tell(context, clients, deployed, task).await?;
        worst = if worst == 0 { code } else { worst };
    }
    if worst == 0 {
        let flag = deployed.environment.flag();
        context.ui.hint(format_args!("`fis-workshop items{flag}` shows what is in the table now."));
    }
    if context.ui.is_json() {
        let task_arns = tasks.iter().map(|task| task.task_arn.clone()).collect();
        context.ui.json(&Ended { task_arns, exit_code: Some(worst), tasks })?;
    }
    Ok(u8::try_from(worst).unwrap_or(u8::MAX))
}

async fn tell(context: &Context, clients: &Clients, deployed: &Deployed, task: &Task) -> Result<i32> {
    let Some(code) = task.exit_code else {
        return Err(stop_reason::failure(format!("The task {} did not start.", task_id(&task.task_arn)), task));
    };
    let reason = task.stopped_reason.as_deref().unwrap_or("ECS names no reason");
    let reason = reason.trim_end_matches('.');
    match stop_reason::meaning(task).filter(|_| code != 0) {
        Some(meaning) => {
            context.ui.note(format_args!("The task ended with exit code {code}: {reason}. {}", meaning.what));
            // The worker gave up: in a workshop, mostly for this.
            let lost = if code == 1 { lost_table(clients, deployed).await } else { None };
            context.ui.hint(lost.as_deref().unwrap_or(meaning.remedy));
        }
        None => context.ui.note(format_args!("The task ended with exit code {code}: {reason}.")),
    }
    Ok(code)
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
