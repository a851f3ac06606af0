use clap::Args;

use super::context::Context;
use super::existing;
use super::several::SeveralArgs;
use crate::endpoint::StateDir;
use crate::error::{Error, Kind, Result};
use crate::settings::Settings;
use crate::setup::{self, Down, Unwanted};

/// Take environments down, and check that nothing is left
///
/// Stops their tasks, deletes their stacks, and the network's when no environment is left. Then it asks each service for
/// survivors: exit code 4 if there are any. Whatever state an environment is in, `down` can be repeated.
/// A local endpoint that a command has started is stopped when nothing is left in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop down
  fis-workshop down --env team1 --env team2
  fis-workshop down --all --target aws --yes")]
pub(crate) struct DownArgs {
    /// Every environment
    #[arg(long, conflicts_with = "count")]
    all: bool,
    /// Which ones.
    #[command(flatten)]
    several: SeveralArgs,
}

impl DownArgs {
    /// What names the same environments again.
    pub(crate) fn flags(&self, settings: &Settings) -> String {
        if self.all { " --all".to_owned() } else { self.several.flags(settings) }
    }
}

/// Takes down.
///
/// # Errors
/// When AWS refuses, a stack cannot be deleted, or something survives.
pub(crate) async fn run(context: &Context, args: DownArgs) -> Result<u8> {
    let named = args.several.environments(&context.settings)?;
    let flags = args.flags(&context.settings);
    // Without any state, there is no need for an endpoint to know that nothing is there.
    if context.settings.is_local() && !StateDir::new(&context.settings.state_dir).has_state() {
        context.ui.result(&Down::default())?;
        return Ok(0);
    }
    let connected = context.connect().await?;
    let environments = if args.all { existing::all(&connected.clients).await? } else { named };
    let names: Vec<_> = environments.iter().map(ToString::to_string).collect();
    let question = format!("Stop all tasks and delete everything of the environments {}?", names.join(", "));
    connected.scene().confirm(&question).await?;
    let unwanted =
        Unwanted { environments: &environments, all: args.all, network: true, parallel: args.several.parallel() };
    let down = setup::down(connected.scene(), unwanted).await?;
    context.ui.result(&down)?;
    for failure in &down.failures {
        context.ui.error(failure, context.settings.target);
    }
    if !down.survivors.is_empty() {
        let survived = match down.survivors.len() {
            1 => "1 resource has survived.".to_owned(),
            more => format!("{more} resources have survived."),
        };
        return Err(Error::new(Kind::Survivors, survived)
            .hint(format!("Repeat `fis-workshop down{flags}`; what stays then has to be deleted by hand.")));
    }
    if !down.failures.is_empty() {
        let (failed, all) = (down.failures.len(), environments.len());
        return Err(Error::failed(format!("{failed} of {all} environments could not be taken down.")));
    }
    if down.left_nothing() {
        connected.stop_endpoint_if_unused().await?;
    }
    Ok(0)
}
