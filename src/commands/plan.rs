use clap::Args;

use super::Context;
use crate::error::Result;
use crate::setup;

/// Show what `up` would change
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop plan
  fis-workshop plan --target aws --output json")]
pub struct PlanArgs {}

/// Plans, and leaves nothing of it behind.
///
/// # Errors
/// When AWS refuses.
pub async fn run(context: &Context, _args: PlanArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let plan = setup::plan(connected.scene(), &context.settings.environment()).await?;
    context.ui.result(&plan)?;
    Ok(0)
}
