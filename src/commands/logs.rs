use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::context::{Connected, Context};
use super::run::show_state;
use super::worker::{self, Named};
use crate::aws::arn::task_id;
use crate::aws::deployed::Deployed;
use crate::aws::logs::{self, Line, LogReader};
use crate::aws::program::Program;
use crate::aws::tasks::{self, Task};
use crate::error::{Error, Result};
use crate::lab::follow::follow;
use crate::lab::variant::{Design, Restart};

/// Show the log of a task
///
/// The log of the latest task, or of the variant's latest one, or of the task that `--task` names.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop logs
  fis-workshop logs improved --follow
  fis-workshop logs watchdog --function     What the watchdog saw and decided
  fis-workshop logs --task 0f3a6b0c")]
pub(crate) struct LogsArgs {
    /// The variant whose latest task it is [default: the one that ran last]
    #[arg(value_parser = worker::NamedParser)]
    variant: Option<Named>,
    /// The log of the last hour of the function that restarts the job of watchdog
    #[arg(long, conflicts_with_all = ["task", "follow"])]
    function: bool,
    /// The task, by its ARN, its id, or as much of the id as `status` shows
    #[arg(long, value_name = "TASK", conflicts_with = "variant")]
    task: Option<String>,
    /// Go on to the last line of a task that runs
    #[arg(long, short)]
    follow: bool,
}

#[derive(Debug, Serialize)]
struct Log {
    /// The variant that was named, or the one that is called as its program.
    variant: Cow<'static, str>,
    task_id: String,
    lines: Vec<Line>,
}

/// Shows a log.
///
/// # Errors
/// When there is no such task, and no log of it.
pub(crate) async fn run(context: &Context, args: LogsArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    if args.function {
        return of_function(context, &connected, &deployed, args.variant.as_ref()).await;
    }
    let known = tasks::of_environment(&connected.clients, &deployed).await?;
    let Source { name, program, task } = match &args.task {
        Some(id) => named(&connected, &deployed, &known, id).await?,
        None => latest(&connected, &deployed, &known, args.variant.as_ref()).await?,
    };
    let mut lines = Vec::new();
    // What ECS has forgotten has been STOPPED for an hour: its log is complete.
    if args.follow && known.iter().any(|it| task_id(&it.task_arn) == task_id(&task)) {
        let state = context.ui.progress("Following the log");
        let on_state = |task: &Task| show_state(&state, task);
        follow(&connected.clients, &deployed, program, &task, on_state, |line| {
            if context.ui.is_json() {
                lines.push(line.clone());
                return Ok(());
            }
            context.ui.data(&line.message)
        })
        .await?;
        if !context.ui.is_json() {
            return Ok(0);
        }
    } else {
        lines = LogReader::of_task(&connected.clients, &deployed, program, &task)?.read().await?;
    }
    context.ui.result(&Log { variant: name, task_id: task_id(&task).to_owned(), lines })?;
    Ok(0)
}

/// What the watchdog saw and decided.
async fn of_function(
    context: &Context,
    connected: &Connected<'_>,
    deployed: &Deployed,
    variant: Option<&Named>,
) -> Result<u8> {
    if variant.is_some_and(|variant| variant.design().restart != Restart::ByWatchdog) {
        return Err(Error::usage("No function restarts the job of this variant.").hint("`logs watchdog --function`"));
    }
    let group = deployed.watchdog_log_group()?;
    let lines = logs::since(&connected.clients, deployed, group, HOUR).await?;
    if context.ui.is_json() {
        context.ui.json(&FunctionLog { function: deployed.watchdog_function()?, lines })?;
        return Ok(0);
    }
    lines.iter().try_for_each(|line| context.ui.data(&format!("{} {}", line.timestamp, line.message.trim_end())))?;
    Ok(0)
}

/// How far back the log of the function is shown.
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, Serialize)]
struct FunctionLog<'a> {
    function: &'a str,
    lines: Vec<Line>,
}

/// Whose log it is.
struct Source {
    name: Cow<'static, str>,
    program: Program,
    /// The task's id or ARN.
    task: String,
}

/// The latest task of the variant, or of any.
async fn latest(
    connected: &Connected<'_>,
    deployed: &Deployed,
    known: &[Task],
    variant: Option<&Named>,
) -> Result<Source> {
    let wanted = variant.map(Named::design);
    let wanted = wanted.as_ref();
    let runs = |task: &Task| {
        let program = deployed.program_of(&task.task_definition_arn)?;
        let is_wanted = wanted.is_none_or(|design| design.program == program);
        let name = || wanted.map_or(Cow::Borrowed(program.name()), |design| design.name.clone());
        is_wanted.then(|| (name(), program))
    };
    if let Some((task, (name, program))) = known.iter().find_map(|task| Some((task, runs(task)?))) {
        return Ok(Source { name, program, task: task.task_arn.clone() });
    }
    let programs = wanted.map_or_else(|| Program::ALL.to_vec(), |design| vec![design.program]);
    let mut empty = true;
    for program in programs {
        empty &= logs::is_empty(&connected.clients, deployed, program).await?;
    }
    Err(none(deployed, wanted, empty))
}

/// `empty`: there is no log either.
fn none(deployed: &Deployed, wanted: Option<&Design>, empty: bool) -> Error {
    let of = wanted.map_or_else(String::new, |design| format!(" of {}", design.name));
    if empty {
        let variant = wanted.map_or("original", |design| &design.name);
        let flags = deployed.environment.flag();
        return Error::failed(format!("No task{of} has run in this environment."))
            .hint(format!("`fis-workshop run {variant}{flags}` starts one."));
    }
    Error::failed(format!("ECS knows no task{of} in this environment; it forgets stopped ones after an hour or so."))
        .hint("`--task` shows the log of a task that ECS has forgotten.")
}

/// The task of this id or ARN, or of the start of an id that `status` shows. ECS may have forgotten the task; its log has
/// not.
async fn named(connected: &Connected<'_>, deployed: &Deployed, known: &[Task], id: &str) -> Result<Source> {
    let mut found = known.iter().filter(|task| task_id(&task.task_arn).starts_with(task_id(id)));
    match (found.next(), found.next()) {
        (Some(one), None) => {
            if let Some(program) = deployed.program_of(&one.task_definition_arn) {
                return Ok(Source { name: program.name().into(), program, task: one.task_arn.clone() });
            }
        }
        (Some(_), Some(_)) => return Err(Error::usage(format!("The ids of several tasks start with {id}."))),
        (None, _) => {}
    }
    for program in Program::ALL {
        if !LogReader::of_task(&connected.clients, deployed, *program, id)?.read().await?.is_empty() {
            return Ok(Source { name: program.name().into(), program: *program, task: id.to_owned() });
        }
    }
    Err(Error::failed(format!("There is no log of a task {} in this environment.", task_id(id)))
        .hint("A task without a line has none; others are deleted with the environment that the task ran in."))
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{}", line.message))
    }
}
