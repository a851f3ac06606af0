use clap::Args;

use super::context::Context;
use super::environments::{Environments, report};
use super::existing;
use super::image::ImageArgs;
use super::several::SeveralArgs;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::setup::{self, Wanted};

/// Recreate environments from scratch, and leave the network
///
/// Stops what runs in them, deletes their stacks with all items and logs, and creates them again with the parameters
/// they had. An environment that is named and does not exist is set up.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop regenerate
  fis-workshop regenerate --env team1
  fis-workshop regenerate --count 40 --prefix seat --target aws --yes
  fis-workshop regenerate --all")]
pub(crate) struct RegenerateArgs {
    /// Every environment that exists
    #[arg(long, conflicts_with = "count")]
    all: bool,
    /// Which ones.
    #[command(flatten)]
    pub(crate) several: SeveralArgs,
    /// What they run.
    #[command(flatten)]
    pub(crate) images: ImageArgs,
}

/// Regenerates.
///
/// # Errors
/// When there is no network, a name was probably meant otherwise, AWS refuses, or an environment fails.
pub(crate) async fn run(context: &Context, args: RegenerateArgs) -> Result<u8> {
    let mut environments = args.several.environments(&context.settings)?;
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    if args.all {
        environments = existing::all(&connected.clients).await?;
        if environments.is_empty() {
            return Err(Error::failed("There is no environment.").hint(existing::advice(&Environment::default(), &[])));
        }
        // Those whose stacks are gone meanwhile, `--all` would not find again.
        let flags: String = environments.iter().map(Environment::flag).collect();
        context.after_interruption(format!(
            "CloudFormation goes on; `fis-workshop up{flags}` follows it and completes the rest."
        ));
    } else {
        existing::refuse_misspelt(&connected.clients, &environments).await?;
    }
    let images = &choice.images(&connected.clients, &context.ui).await?;
    let wanted = Wanted {
        environments: &environments,
        images,
        parallel: args.several.parallel(),
        by_lab: false,
        leaves_drift: false,
    };
    let up = setup::regenerate(connected.scene(), wanted).await?;
    report(context, &Environments::of(&up, "regenerated", &args.several, context), &up)?;
    Ok(0)
}
