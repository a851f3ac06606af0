use std::fmt;

use clap::Args;
use serde::Serialize;

use super::context::{Connected, Context};
use crate::aws::arn::task_id;
use crate::aws::deployed::Deployed;
use crate::aws::logs::{Line, LogReader};
use crate::aws::program::Program;
use crate::aws::tasks;
use crate::error::{Error, Result};
use crate::lab::follow::follow;
use crate::lab::variant::{Design, Variant};

/// Show the log of a task
///
/// The log of the variant's latest task, or of the task that `--task` names.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop logs original
  fis-workshop logs improved --follow
  fis-workshop logs --task 0f3a6b0c9d5e4b6f8a7c1d2e3f405162")]
pub(crate) struct LogsArgs {
    /// The variant whose latest task it is
    #[arg(required_unless_present = "task")]
    variant: Option<Variant>,
    /// The task, by id or ARN
    #[arg(long, value_name = "TASK", conflicts_with = "variant")]
    task: Option<String>,
    /// Go on to the last line of a task that runs
    #[arg(long, short)]
    follow: bool,
}

#[derive(Debug, Serialize)]
struct Log {
    /// The variant that was named, or the one that is called as its program.
    variant: &'static str,
    task_id: String,
    lines: Vec<Line>,
}

/// Shows a log.
pub(crate) async fn run(context: &Context, args: LogsArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    let (name, program, task) = match (args.variant.map(Variant::design), &args.task) {
        (Some(design), _) => (design.name, design.program, latest(&connected, &deployed, design).await?),
        (None, Some(task)) => {
            let program = program_of(&connected, &deployed, task).await?;
            (program.name(), program, task.clone())
        }
        (None, None) => return Err(Error::usage("Name a variant or a task.")),
    };
    let mut lines = Vec::new();
    // What ECS has forgotten has been STOPPED for an hour: its log is complete.
    if args.follow && is_known(&connected, &deployed, &task).await? {
        follow(&connected.clients, &deployed, program, &task, |line| {
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

async fn latest(connected: &Connected<'_>, deployed: &Deployed, design: &Design) -> Result<String> {
    let all = tasks::all(&connected.clients, deployed.cluster()?).await?;
    let newest = all.into_iter().find(|task| deployed.program_of(&task.task_definition_arn) == Some(design.program));
    newest.map(|task| task.task_arn).ok_or_else(|| {
        Error::failed(format!(
            "ECS knows no task of {} in this environment; it forgets stopped ones after an hour or so.",
            design.name
        ))
        .hint("`--task` shows the log of a task that ECS has forgotten.")
    })
}

/// The task of a variant was just listed; one that was named may be forgotten.
async fn is_known(connected: &Connected<'_>, deployed: &Deployed, task: &str) -> Result<bool> {
    Ok(!tasks::describe(&connected.clients, deployed.cluster()?, &[task.to_owned()], None).await?.is_empty())
}

/// ECS may have forgotten the task; its log has not.
async fn program_of(connected: &Connected<'_>, deployed: &Deployed, task: &str) -> Result<Program> {
    for program in Program::ALL {
        if !LogReader::of_task(&connected.clients, deployed, *program, task)?.read().await?.is_empty() {
            return Ok(*program);
        }
    }
    Err(Error::failed(format!("There is no log of a task {} in this environment.", task_id(task)))
        .hint("`fis-workshop status` shows the tasks."))
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{}", line.message))
    }
}
