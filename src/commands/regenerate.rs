use clap::Args;

use super::context::Context;
use super::environments::{Environments, report};
use super::existing::refuse_misspelt;
use super::image::ImageArgs;
use super::several::SeveralArgs;
use crate::error::Result;
use crate::setup::{self, Wanted};

/// Recreate environments from scratch, and leave the network
///
/// Stops what runs in them, deletes their stacks with all items and logs, and creates them again with the parameters
/// they had. An environment that does not exist is set up.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop regenerate
  fis-workshop regenerate --env team1
  fis-workshop regenerate --count 40 --prefix seat --target aws --yes")]
pub(crate) struct RegenerateArgs {
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
    let environments = args.several.environments(&context.settings)?;
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    refuse_misspelt(&connected.clients, &environments).await?;
    let images = &choice.images(&connected.clients, &context.ui).await?;
    let wanted = Wanted { environments: &environments, images, parallel: args.several.parallel(), by_lab: false };
    let up = setup::regenerate(connected.scene(), wanted).await?;
    report(context, &Environments::of(&up, "regenerated"), &up)?;
    Ok(0)
}
