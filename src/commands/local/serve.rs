use clap::Args;

use super::deliveries::DeliveriesArgs;
use super::pace::PaceArgs;
use crate::commands::context::Context;
use crate::endpoint::{self, DEFAULT_PORT, ServeArgs, StateDir};
use crate::error::Result;

/// Serve in the foreground: what `start` runs in the background
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct ServeCommand {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Take another port when this one is taken, and end with the last stack
    #[arg(long)]
    automatic: bool,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    deliveries: DeliveriesArgs,
    /// What an image may take on the disk
    #[arg(long, value_name = "MIB")]
    max_image_size: Option<u64>,
}

/// Serves until SIGTERM.
///
/// # Errors
/// When the port is taken or the state cannot be opened.
pub(crate) fn serve(context: &Context, args: &ServeCommand) -> Result<()> {
    let ServeCommand { port, automatic, pace, deliveries, max_image_size } = *args;
    let (pace, deliveries) = (pace.pace().unwrap_or_default(), deliveries.deliveries().unwrap_or_default());
    let region = context.settings.region.clone();
    let args = ServeArgs { port, region, automatic, pace, deliveries, max_image_size };
    endpoint::serve(&StateDir::new(&context.settings.state_dir), &args)
}
