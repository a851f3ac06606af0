use clap::Args;

use super::deliveries::DeliveriesArgs;
use super::pace::PaceArgs;
use super::status::Status;
use crate::commands::context::Context;
use crate::endpoint::{self, Start, StateDir};
use crate::error::{Error, Result};
use crate::settings::PORT_VARIABLE;

/// Start the endpoint in the background
///
/// It is ready when this returns. Its state, its log and its key pair are in the state directory.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop local start
  fis-workshop local start --port 0      On any free port
  fis-workshop local start --latency aws --speed 60    As AWS, a minute a second
  fis-workshop local start --duplicate-events 1 --shuffle-events 2
  eval \"$(fis-workshop local env)\"       Then the AWS CLI and SDKs use it, too")]
pub(super) struct StartArgs {
    /// Port on 127.0.0.1; 0 takes a free one [default: the last one, 4566 at first]
    #[arg(long, env = PORT_VARIABLE, hide_env_values = true)]
    port: Option<u16>,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    deliveries: DeliveriesArgs,
    /// What an image may take on the disk when it is unpacked [default: as the last time, 2048 at first]
    #[arg(long, value_name = "MIB")]
    max_image_size: Option<u64>,
}

/// Starts it, unless it runs.
///
/// # Errors
/// When the port is taken, the state directory cannot be used, or it runs on another port.
pub(super) async fn run(context: &Context, args: StartArgs) -> Result<u8> {
    let state = StateDir::new(&context.settings.state_dir);
    let (pace, deliveries) = (args.pace.pace(), args.deliveries.deliveries());
    let how = Start {
        port: args.port,
        region: context.settings.region.as_deref(),
        pace,
        deliveries,
        max_image_size: args.max_image_size,
        automatic: false,
    };
    let started = endpoint::start(&state, how).await?;
    let port = started.record.port;
    if !started.new && args.port.is_some_and(|wanted| wanted != 0 && wanted != port) {
        return Err(Error::failed(format!("The local endpoint runs already, on port {port}."))
            .hint("`fis-workshop local stop` first to change that."));
    }
    if started.was_damaged {
        context.ui.warn(
            "local.json in the state directory was damaged and is made anew: port, pace and limits are those of a first start.",
        );
    }
    if !started.new && pace.is_some_and(|wanted| wanted != started.record.pace) {
        context
            .ui
            .warn("It runs already, with another latency or speed; `fis-workshop local stop` first to change that.");
    }
    if !started.new && deliveries.is_some_and(|wanted| wanted != started.record.deliveries) {
        context
            .ui
            .warn("It runs already, and delivers events otherwise; `fis-workshop local stop` first to change that.");
    }
    if !started.new && args.max_image_size.is_some_and(|wanted| Some(wanted) != started.record.max_image_size) {
        context
            .ui
            .warn("It runs already, with another limit of images; `fis-workshop local stop` first to change that.");
    }
    context.ui.result(&Status::of(&state)?)?;
    Ok(0)
}
