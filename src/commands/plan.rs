use clap::Args;

use super::context::Context;
use super::image::ImageArgs;
use super::several::SeveralArgs;
use crate::error::Result;
use crate::setup::{self, Wanted};

/// Show what `up` would change
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop plan
  fis-workshop plan --count 40 --prefix seat
  fis-workshop plan --target aws --output json")]
pub(crate) struct PlanArgs {
    /// Which environments.
    #[command(flatten)]
    pub(crate) several: SeveralArgs,
    /// What they run.
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    /// Leave what somebody has changed or deleted by hand as it is
    #[arg(long)]
    ignore_drift: bool,
}

/// Plans, and leaves nothing of it behind.
///
/// # Errors
/// When AWS refuses.
pub(crate) async fn run(context: &Context, args: PlanArgs) -> Result<u8> {
    let environments = args.several.environments(&context.settings)?;
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    let images = &choice.images(&connected.clients, &context.ui).await?;
    let parallel = args.several.parallel();
    let wanted =
        Wanted { environments: &environments, images, parallel, by_lab: false, leaves_drift: args.ignore_drift };
    let plan = setup::plan(connected.scene(), wanted).await?;
    context.ui.result(&plan)?;
    Ok(0)
}
