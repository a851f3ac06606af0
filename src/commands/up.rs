use clap::Args;

use super::Context;
use super::image::ImageArgs;
use crate::error::Result;
use crate::setup;

/// Set up the environment, or update it
///
/// Plans, applies and follows two CloudFormation stacks: the network, which all environments share, and the
/// environment. A second `up` changes nothing. One that was interrupted is taken up where it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop up                       The environment with the names of the workshop guide, on this machine
  fis-workshop up --env team1           One more environment
  fis-workshop up --target aws --yes    On AWS, without being asked
  fis-workshop up --target aws --arch arm64
  fis-workshop up --image original=URI --image improved=URI")]
pub struct UpArgs {
    #[command(flatten)]
    images: ImageArgs,
}

/// Sets up or updates.
///
/// # Errors
/// When AWS refuses or a stack fails.
pub async fn run(context: &Context, args: UpArgs) -> Result<u8> {
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    let images = choice.images(&connected.clients, &context.ui).await?;
    let environment = context.settings.environment();
    let up = setup::up(connected.scene(), &environment, &images).await?;
    context.ui.result(&up)?;
    if up.changed {
        context.ui.hint(format_args!("`fis-workshop run original{}` runs the batch job.", environment.flag()));
    }
    Ok(0)
}
