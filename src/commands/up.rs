use clap::Args;

use super::Context;
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
  fis-workshop up --target aws --yes    On AWS, without being asked")]
pub struct UpArgs {}

/// Sets up or updates.
///
/// # Errors
/// When AWS refuses or a stack fails.
pub async fn run(context: &Context, _args: UpArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let environment = context.settings.environment();
    let up = setup::up(connected.scene(), &environment).await?;
    context.ui.result(&up)?;
    if up.changed {
        context.ui.hint(format_args!("`fis-workshop run original{}` runs the batch job.", environment.flag()));
    }
    Ok(0)
}
