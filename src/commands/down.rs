use clap::Args;

use super::Context;
use crate::aws::stack;
use crate::endpoint::StateDir;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::setup::{self, Down};

/// Take the environment down, and check that nothing is left
///
/// Stops its tasks, deletes its stack, and the network's when no environment is left. Then it asks each service for
/// survivors: exit code 4 if there are any. Whatever state the environment is in, `down` can be repeated.
/// A local endpoint that a command has started is stopped when nothing is left in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop down
  fis-workshop down --env team1
  fis-workshop down --all --target aws --yes")]
pub struct DownArgs {
    /// Take every environment down
    #[arg(long)]
    all: bool,
}

/// Takes down.
///
/// # Errors
/// When AWS refuses, a stack cannot be deleted, or something survives.
pub async fn run(context: &Context, args: DownArgs) -> Result<u8> {
    // Without any state, there is no need for an endpoint to know that nothing is there.
    if context.settings.is_local() && !StateDir::new(&context.settings.state_dir).has_state() {
        context.ui.result(&Down::default())?;
        return Ok(0);
    }
    let connected = context.connect().await?;
    let environments = if args.all {
        let stacks = stack::all(&connected.clients).await?;
        stacks.iter().filter_map(|stack| Environment::of_stack(&stack.name)).collect()
    } else {
        vec![context.settings.environment()]
    };
    confirm(context, &environments)?;
    let down = setup::down(connected.scene(), &environments, true).await?;
    context.ui.result(&down)?;
    if !down.survivors.is_empty() {
        return Err(Error::new(Kind::Survivors, format!("{} resources have survived.", down.survivors.len()))
            .hint("Repeat `fis-workshop down`; what stays then has to be deleted by hand."));
    }
    if down.left_nothing() {
        connected.stop_endpoint_if_unused().await?;
    }
    Ok(0)
}

fn confirm(context: &Context, environments: &[Environment]) -> Result<()> {
    if context.settings.is_local() || context.settings.yes {
        return Ok(());
    }
    let names: Vec<_> = environments.iter().map(ToString::to_string).collect();
    match context.ui.ask(&format!("Stop all tasks and delete everything of the environments {}?", names.join(", ")))? {
        Some(true) => Ok(()),
        Some(false) => Err(Error::failed("Nothing was changed.")),
        None => {
            Err(Error::usage("On AWS this needs a confirmation, and there is no terminal to ask on.")
                .hint("Add `--yes`."))
        }
    }
}
