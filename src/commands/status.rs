use std::fmt;

use clap::Args;
use comfy_table::{Table, presets};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::context::Context;
use super::several::SeveralArgs;
use crate::aws::arn::{last_part, task_id};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{self, Experiment};
use crate::aws::stack::{self, status};
use crate::aws::table;
use crate::aws::tasks::{self, Task};
use crate::endpoint::StateDir;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Result;
use crate::target::Target;
use crate::ui::paint;

/// Show stacks, tasks, experiments, and the number of items
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop status
  fis-workshop status --env lab --output json
  fis-workshop status --count 40 --prefix seat")]
pub(crate) struct StatusArgs {
    /// Every task that has stopped, not only the last few
    #[arg(long)]
    all: bool,
    /// Which environments.
    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

/// How many of the stopped tasks are shown: those of a chapter, twice over.
const LAST: usize = 10;

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
    tasks: Vec<Task>,
    /// Stopped tasks that `--all` would show, too.
    older_tasks: usize,
    experiments: Vec<Experiment>,
    table: Option<TableStatus>,
}

#[derive(Debug, Serialize)]
struct StackStatus {
    stack: String,
    /// `null`: there is no such stack.
    status: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct TableStatus {
    table: String,
    items: usize,
    batch_size: u64,
    missing: Vec<u64>,
}

/// Shows what is there.
pub(crate) async fn run(context: &Context, args: StatusArgs) -> Result<u8> {
    let named = args.several.environments(&context.settings)?;
    let target = context.settings.target;
    // Without any state, there is no need for an endpoint to know that nothing is there.
    let ended = if args.all { usize::MAX } else { LAST };
    let environments = if context.settings.is_local() && !StateDir::new(&context.settings.state_dir).has_state() {
        named.into_iter().map(|environment| Status::of_nothing(target, environment)).collect()
    } else {
        let clients = context.connect().await?.clients;
        let looks = named.into_iter().map(|environment| look(&clients, environment, ended));
        stream::iter(looks).buffered(args.several.parallel()).try_collect::<Vec<_>>().await?
    };
    match environments.as_slice() {
        [one] => context.ui.result(one)?,
        _ => context.ui.result(&Several { target, environments })?,
    }
    Ok(0)
}

impl Status {
    fn of_nothing(target: Target, environment: Environment) -> Self {
        let stacks = [NETWORK_STACK.to_owned(), environment.stack_name()].map(missing).into();
        Self { target, environment, stacks, tasks: Vec::new(), older_tasks: 0, experiments: Vec::new(), table: None }
    }
}

fn missing(stack: String) -> StackStatus {
    StackStatus { stack, status: None, reason: None }
}

async fn look(clients: &Clients, environment: Environment, ended_shown: usize) -> Result<Status> {
    let mut found = Status { stacks: Vec::new(), ..Status::of_nothing(clients.target, environment.clone()) };
    let (name, cluster) = (environment.stack_name(), environment.cluster_name());
    let (network, workshop, tasks) = tokio::try_join!(
        stack::find(clients, NETWORK_STACK),
        stack::find(clients, &name),
        tasks::all(clients, &cluster),
    )?;
    for (name, stack) in [(NETWORK_STACK.to_owned(), &network), (name, &workshop)] {
        found.stacks.push(match stack {
            Some(stack) => {
                StackStatus { stack: name, status: Some(stack.status.to_string()), reason: stack.reason.clone() }
            }
            None => missing(name),
        });
    }
    let mut ended = 0;
    found.tasks = tasks;
    found.tasks.retain(|task| {
        ended += usize::from(!task.should_run());
        task.should_run() || ended <= ended_shown
    });
    found.older_tasks = ended.saturating_sub(ended_shown);
    let Some(stack) = workshop.filter(|stack| !stack.outputs.is_empty()) else { return Ok(found) };
    let deployed = Deployed::of(environment, stack);
    let (experiments, items) = tokio::try_join!(
        experiment::list(clients, deployed.experiment_template()?),
        table::items(clients, &deployed),
    )?;
    found.experiments = experiments;
    let batch_size = deployed.batch_size()?;
    let missing = table::missing(&items, batch_size);
    found.table = Some(TableStatus { table: deployed.table()?.to_owned(), items: items.len(), batch_size, missing });
    Ok(found)
}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["environment", "stack", "running", "last experiment", "items"]);
        for Status { environment, stacks, tasks, experiments, table: items, .. } in &self.environments {
            let stack = stacks.last().and_then(|stack| stack.status.as_deref()).unwrap_or("not set up");
            let running = tasks.iter().filter(|task| !task.is_stopped()).count();
            let experiment = experiments.first().map_or("-", |experiment| experiment.status.as_str());
            let items = items.as_ref().map_or_else(|| "-".to_owned(), TableStatus::progress);
            table.add_row([&environment.to_string(), stack, &running.to_string(), experiment, &items]);
        }
        writeln!(f, "{table}")
    }
}

impl TableStatus {
    fn progress(&self) -> String {
        format!("{} of {}", self.batch_size - self.missing.len() as u64, self.batch_size)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "environment {}", self.environment)?;
        for stack in &self.stacks {
            match &stack.status {
                Some(status) => {
                    let meaning = status::meaning(status);
                    writeln!(f, "{} stack {} {status}", paint(meaning.style, meaning.symbol), stack.stack)?;
                }
                None => writeln!(f, "- stack {} is not set up", stack.stack)?,
            }
        }
        for task in &self.tasks {
            let family = last_part(&task.task_definition_arn);
            write!(f, "  task {} {family} {}", task_id(&task.task_arn), task.last_status)?;
            if let Some(code) = task.exit_code {
                write!(f, ", exit code {code}")?;
            }
            writeln!(f, "{}", task.stopped_reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}")))?;
        }
        if self.older_tasks > 0 {
            writeln!(f, "  {} older tasks have stopped; `--all` shows them", self.older_tasks)?;
        }
        for experiment in &self.experiments {
            writeln!(f, "  experiment {} {}: {}", experiment.experiment_id, experiment.status, experiment.reason)?;
        }
        match &self.table {
            Some(table) => writeln!(f, "  table {}: {} items", table.table, table.progress()),
            None => Ok(()),
        }
    }
}
