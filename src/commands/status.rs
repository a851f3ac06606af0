use clap::Args;

use super::context::Context;
use super::existing;
use super::several::SeveralArgs;
use crate::endpoint::StateDir;
use crate::environment::Environment;
use crate::error::Result;
use crate::status::{Problem, Several, Status, look};

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
