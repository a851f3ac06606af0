use clap::Args;

use super::Context;
use super::image::ImageArgs;
use crate::error::Result;
use crate::setup;

/// Show what `up` would change
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop plan
  fis-workshop plan --target aws --output json")]
pub struct PlanArgs {
    #[command(flatten)]
    images: ImageArgs,
}

/// Plans, and leaves nothing of it behind.
///
/// # Errors
/// When AWS refuses.
pub async fn run(context: &Context, args: PlanArgs) -> Result<u8> {
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    let images = choice.images(&connected.clients, &context.ui).await?;
    let plan = setup::plan(connected.scene(), &context.settings.environment(), &images).await?;
    context.ui.result(&plan)?;
    Ok(0)
}
