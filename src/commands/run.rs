use std::fmt;

use clap::Args;
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::json;

use super::context::{Connected, Context};
use super::outcome;
use super::worker::{self, Chosen, Given, Named};
use crate::aws::arn::{short_id, task_id};
use crate::aws::deployed::Deployed;
use crate::aws::logs::Line;
use crate::aws::own::Worker;
use crate::aws::program::Program;
use crate::aws::queue;
use crate::aws::stack::Event;
use crate::aws::tasks::{self, Overrides, Task};
use crate::error::{Error, Result};
use crate::lab::follow::follow;
use crate::lab::network;
use crate::lab::silence::{Limit, Silence};
use crate::lab::variant::own;
use crate::record::{Recorder, What};
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
  fis-workshop run queue --count 5          Five tasks share the work
  fis-workshop run --worker 'python3 job.py'")]
pub(crate) struct RunArgs {
    /// Which version of the batch job
    #[arg(value_parser = worker::NamedParser, required_unless_present_any = ["worker", "image"])]
    pub(crate) variant: Option<Named>,
    /// A command of this machine instead, as a shell takes it: a worker of your own
    #[arg(long, value_name = "COMMAND", conflicts_with = "variant")]
    worker: Option<String>,
    /// The image of a worker of your own instead
    #[arg(long, value_name = "URI", conflicts_with_all = ["variant", "worker"])]
    image: Option<String>,
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

impl RunArgs {
    /// What commands call the variant.
    pub(super) fn name(&self) -> String {
        self.variant.as_ref().map_or_else(|| own::NAME.to_owned(), Named::to_string)
    }
}

/// What was started.
#[derive(Debug, Serialize)]
struct Started {
    task_arns: Vec<String>,
}

/// What is run, and how.
pub(super) struct Job {
    /// The verb by which it is run.
    pub(super) verb: &'static str,
    pub(super) program: Program,
    /// What the program is, when it is none of ours.
    pub(super) worker: Option<Worker>,
    /// How many tasks share the work, where tasks do.
    pub(super) shared_by: Option<u32>,
    pub(super) overrides: Overrides,
    pub(super) detach: bool,
    pub(super) force: bool,
    /// How long a task may write nothing at all before it is stopped.
    pub(super) silence: Limit,
}

/// Runs a task.
///
/// # Errors
/// When another one runs, ECS refuses, or the task did not start.
pub(crate) async fn run(context: &Context, args: RunArgs) -> Result<u8> {
    let given = Given { command: args.worker.as_deref(), image: args.image.as_deref() };
    let chosen = given.choose(args.variant.as_ref(), &context.settings)?;
    let Chosen { design, worker } = chosen.ok_or_else(|| Error::usage("There is nothing to run."))?;
    let shares = design.tasks > 1;
    if args.count.is_some() && !shares {
        return Err(Error::usage(format!("The tasks of {} do not share their work.", design.name))
            .hint("`--count` is for `run queue`."));
    }
    let job = Job {
        verb: "run",
        program: design.program,
        worker,
        shared_by: shares.then(|| args.count.unwrap_or(1)),
        overrides: Overrides { item_seconds: args.item_seconds, batch_size: args.batch_size },
        detach: args.detach,
        force: args.force,
        silence: Limit::None,
    };
    start(context, job).await
}

/// Runs the tasks of a job, and follows them.
///
/// # Errors
/// When another one runs, ECS refuses, or a task did not start.
pub(super) async fn start(context: &Context, job: Job) -> Result<u8> {
    let connected = context.connect().await?;
    let environment = async {
        let deployed = connected.deployed().await?;
        if !job.force {
            refuse_second(&connected, &deployed, job.shared_by.map(|_| job.program)).await?;
        }
        Ok::<_, Error>(deployed)
    };
    let (mut deployed, ()) = tokio::try_join!(environment, wait_for_network(context, &connected))?;
    if let Some(worker) = &job.worker {
        deployed = worker::install(&connected, deployed, worker).await?;
    }
    if job.shared_by.is_some() {
        seed(context, &connected, &deployed, job.overrides.batch_size).await?;
    }
    let on_wait = |reason: &str| context.ui.note(format_args!("{reason}. Trying again."));
    let one = || tasks::run(&connected.clients, &deployed, job.program, job.overrides, on_wait);
    let tasks = try_join_all((0..job.shared_by.unwrap_or(1)).map(|_| one())).await?;
    if job.detach {
        context.ui.result(&Started { task_arns: tasks.into_iter().map(|task| task.task_arn).collect() })?;
        return Ok(0);
    }
    for task in &tasks {
        context.ui.note(format_args!("Started the task {}.", task_id(&task.task_arn)));
    }
    let record = job.record(context, &deployed)?;
    let several = tasks.len() > 1;
    let watcher = Watcher { context, record: &record, connected: &connected, deployed: &deployed, job: &job, several };
    let ended = try_join_all(tasks.iter().map(|task| watcher.watch(task))).await;
    let ended = ended.inspect_err(|error| record.failed(error))?;
    let codes: Vec<_> = ended.iter().map(|task| task.exit_code).collect();
    record.now(What::Result { result: json!({ "exit_codes": codes }) });
    if let Err(error) = record.end() {
        context.ui.warn(error);
    }
    outcome::report(context, &connected.clients, &deployed, &job, ended).await
}

impl Job {
    /// Begins the record of its run.
    fn record(&self, context: &Context, deployed: &Deployed) -> Result<Recorder> {
        let batch_size = self.overrides.batch_size.map_or_else(|| deployed.batch_size(), Ok)?;
        let item_seconds = self.overrides.item_seconds.map_or_else(|| deployed.item_seconds(), Ok)?;
        let record = context.record(self.verb);
        record.turn(&self.program.to_string(), What::Turn { batch_size, item_seconds });
        Ok(record)
    }
}

/// Who follows the tasks of a job.
#[derive(Clone, Copy)]
struct Watcher<'a> {
    context: &'a Context,
    record: &'a Recorder,
    connected: &'a Connected<'a>,
    deployed: &'a Deployed,
    job: &'a Job,
    /// Each line says whose it is.
    several: bool,
}

impl Watcher<'_> {
    /// Follows one task to its end; one that is silent for too long is stopped.
    async fn watch(self, task: &Task) -> Result<Task> {
        let Self { context, record, connected, deployed, job, .. } = self;
        let state = context.ui.progress("The task is starting");
        let item_seconds = job.overrides.item_seconds.map_or_else(|| deployed.item_seconds(), Ok)?;
        let silence = Silence::new(&connected.clients, deployed, job.silence, item_seconds);
        let on_state = |task: &Task| {
            show_state(&state, task);
            silence.note(task);
            record.task(task);
        };
        let name = if self.several { format!("{} | ", short_id(task_id(&task.task_arn))) } else { String::new() };
        let on_line = |line: &Line| {
            silence.begin();
            record.line(&task.task_arn, line);
            record.put(&task.task_arn, line);
            // stdout is for the one JSON document then.
            if context.ui.is_json() {
                context.ui.note(paint(FAINT, format_args!("{name}{}", line.message)));
                return Ok(());
            }
            context.ui.data(&format!("{name}{}", line.message))
        };
        let followed = follow(&connected.clients, deployed, job.program, &task.task_arn, on_state, on_line);
        tokio::pin!(followed);
        tokio::select! {
            task = &mut followed => return task,
            said = silence.ends(task) => context.ui.warn(said?),
        }
        followed.await
    }
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

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task_arns.iter().try_for_each(|arn| writeln!(f, "{arn}"))
    }
}
