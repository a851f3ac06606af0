//! What is there: of one environment everything, of several a line each.

mod look;
mod parts;
mod show;

use clap::Args;
use serde::{Serialize, Serializer};

use self::look::look;
use super::context::Context;
use super::existing;
use super::several::SeveralArgs;
use crate::aws::experiment::Experiment;
use crate::aws::queue::Depth;
use crate::aws::tasks::Task;
use crate::aws::watchdog::Said;
use crate::endpoint::StateDir;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Error, Result};
use crate::target::Target;

/// Show stacks, tasks, experiments, and the number of items
///
/// A part of an environment that somebody has deleted by hand is named, with what makes it anew. Exit code 1 when
/// something is missing, or could not be read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop status
  fis-workshop status --env lab --output json
  fis-workshop status --count 40 --prefix seat
  fis-workshop status --all                       A line for each environment")]
pub(crate) struct StatusArgs {
    /// Every environment that exists
    #[arg(long, conflicts_with = "count")]
    all: bool,
    /// Every task that has stopped, not only the last few
    #[arg(long)]
    all_tasks: bool,
    /// Which environments.
    #[command(flatten)]
    several: SeveralArgs,
}

/// How many of the stopped tasks are shown.
const LAST: usize = 5;

/// Several environments, in a table.
#[derive(Debug, Serialize)]
struct Several {
    target: Target,
    environments: Vec<Status>,
}

#[derive(Debug, Serialize)]
struct Status {
    target: Target,
    environment: Environment,
    stacks: Vec<StackStatus>,
    tasks: Vec<TaskStatus>,
    /// Stopped tasks that `--all-tasks` would show, too.
    older_tasks: usize,
    experiments: Vec<Experiment>,
    table: Option<TableStatus>,
    /// Messages of the queue.
    queue: Option<Depth>,
    /// What the watchdog has last said, if there was something to tell.
    watchdog: Option<Said>,
    /// `null`: everything is there, and could be read.
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct StackStatus {
    stack: String,
    /// `null`: there is no such stack.
    status: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct TaskStatus {
    /// The word for `run`; `null` when its definition is none of the environment's.
    variant: Option<&'static str>,
    #[serde(flatten)]
    task: Task,
}

#[derive(Debug, Serialize)]
struct TableStatus {
    table: String,
    items: usize,
    batch_size: u64,
    missing: Vec<u64>,
}

/// What is wrong with an environment; in JSON, a sentence.
#[derive(Debug)]
struct Problem {
    /// In the few words that a table has room for.
    short: String,
    text: String,
    /// Unless it only means that something is gone.
    error: Option<Error>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Shows what is there.
///
/// # Errors
/// When nothing can be read, or the only environment cannot; when it does not exist and another one was probably meant.
pub(crate) async fn run(context: &Context, args: StatusArgs) -> Result<u8> {
    let mut environments = if args.all { Vec::new() } else { args.several.environments(&context.settings)? };
    let target = context.settings.target;
    let (mut found, mut others) = (Vec::new(), Vec::new());
    // Without any state, there is no need for an endpoint to know that nothing is there.
    if context.settings.is_local() && !StateDir::new(&context.settings.state_dir).has_state() {
        found.extend(environments.into_iter().map(|environment| Status::of_nothing(target, environment)));
    } else {
        let connected = context.connect().await?;
        if args.all {
            environments = existing::all(&connected.clients).await?;
        }
        let ended = if args.all_tasks { usize::MAX } else { LAST };
        found = look(&connected.clients, environments, ended, args.several.parallel()).await?;
        for problem in found.iter_mut().filter_map(|status| status.problem.as_mut()) {
            problem.text = context.ui.complete(&problem.text);
        }
        if !found.iter().any(Status::is_set_up) {
            // Who may not list the stacks is told what is known without.
            others = existing::all(&connected.clients).await.unwrap_or_default();
        }
        // Who only looks leaves no process behind.
        if connected.is_new {
            connected.stop_endpoint_if_unused().await?;
        }
    }
    match found.pop() {
        Some(one) if found.is_empty() && !args.all && !args.several.are_counted() => show_one(context, one, &others),
        last => show_several(context, found.into_iter().chain(last).collect()),
    }
}

fn show_several(context: &Context, environments: Vec<Status>) -> Result<u8> {
    let target = context.settings.target;
    let (is_empty, code) = (environments.is_empty(), environments.iter().any(|status| status.problem.is_some()));
    context.ui.result(&Several { target, environments })?;
    if is_empty {
        context.ui.hint(existing::advice(&Environment::default(), &[]));
    }
    Ok(u8::from(code))
}

/// `others` are the environments that may have been meant instead.
fn show_one(context: &Context, one: Status, others: &[Environment]) -> Result<u8> {
    if let Some(Problem { error: Some(error), .. }) = one.problem {
        return Err(error);
    }
    if !one.is_set_up() && one.environment.likely(others).is_some() {
        return Err(existing::missing(&one.environment, others));
    }
    context.ui.result(&one)?;
    if !one.is_set_up() {
        context.ui.hint(existing::advice(&one.environment, others));
    }
    Ok(u8::from(one.problem.is_some()))
}

impl Status {
    fn of_nothing(target: Target, environment: Environment) -> Self {
        let stacks = [NETWORK_STACK.to_owned(), environment.stack_name()].map(StackStatus::missing).into();
        Self {
            target,
            environment,
            stacks,
            tasks: Vec::new(),
            older_tasks: 0,
            experiments: Vec::new(),
            table: None,
            queue: None,
            watchdog: None,
            problem: None,
        }
    }

    /// Whether the environment has a stack.
    fn is_set_up(&self) -> bool {
        self.stacks.last().is_some_and(|stack| stack.status.is_some())
    }
}

impl StackStatus {
    fn missing(stack: String) -> Self {
        Self { stack, status: None, reason: None }
    }
}

impl Problem {
    /// Something could not be read.
    fn of(error: Error, target: Target) -> Self {
        let advice = error.advice(target).map(|advice| format!(" {advice}")).unwrap_or_default();
        Self { short: "cannot be read".to_owned(), text: format!("{error}{advice}"), error: Some(error) }
    }
}
