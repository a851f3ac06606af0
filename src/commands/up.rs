use clap::Args;

use super::context::{Connected, Context};
use super::environments::{Environments, report};
use super::image::ImageArgs;
use super::several::SeveralArgs;
use crate::aws::cost;
use crate::aws::stack::{self, Stack, status};
use crate::doctor;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Error, Result};
use crate::setup::{self, Wanted};

/// Set up environments, or update them
///
/// Plans, applies and follows CloudFormation stacks: the network, which all environments share, and one for each
/// environment. A second `up` changes nothing; what somebody has changed or deleted by hand meanwhile, it puts back as the
/// template says. One that was interrupted is taken up where it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop up                                 With the names of the guide
  fis-workshop up --env team1 --env team2         Two more environments
  fis-workshop up --count 40 --prefix seat        Forty: seat-01 to seat-40
  fis-workshop up --target aws --yes              On AWS, without being asked
  fis-workshop up --target aws --arch arm64
  fis-workshop up --image original=URI --image improved=URI --image ...")]
pub(crate) struct UpArgs {
    /// Which ones.
    #[command(flatten)]
    pub(crate) several: SeveralArgs,
    /// What they run.
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    /// Leave what somebody has changed or deleted by hand as it is
    #[arg(long)]
    ignore_drift: bool,
}

/// Sets up or updates.
///
/// # Errors
/// When AWS refuses or a stack fails.
pub(crate) async fn run(context: &Context, args: UpArgs) -> Result<u8> {
    let environments = args.several.environments(&context.settings)?;
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    // What would fail later is better said before anything is planned.
    if !context.settings.is_local() {
        doctor::cheap(&connected.clients).await?;
    }
    let images = &choice.images(&connected.clients, &context.ui).await?;
    let parallel = args.several.parallel();
    let wanted =
        Wanted { environments: &environments, images, parallel, by_lab: false, leaves_drift: args.ignore_drift };
    let up = match setup::up(connected.scene(), wanted).await {
        Ok(up) => up,
        Err(error) => return Err(what_stays(&connected, error, &args.several.flags(&context.settings)).await),
    };
    report(context, &Environments::of(&up, "set up", &args.several, context), &up)?;
    if up.changed() {
        let flag = environments.first().map(crate::environment::Environment::flag).unwrap_or_default();
        context.ui.hint(format_args!("`fis-workshop run original{flag}` runs the batch job."));
    }
    Ok(0)
}

/// A network without an environment in it goes on costing money; that it cannot be asked about is not the news here.
async fn what_stays(connected: &Connected<'_>, error: Error, flags: &str) -> Error {
    let stacks = stack::all(&connected.clients).await.unwrap_or_default();
    let stands = stacks.iter().any(|stack| stack.name == NETWORK_STACK);
    let is_used = |stack: &Stack| Environment::of_stack(&stack.name).is_some() && status::is_updatable(&stack.status);
    if connected.context.settings.is_local() || !stands || stacks.iter().any(is_used) {
        return error;
    }
    error.hint(format!(
        "The network {NETWORK_STACK} stands and costs {}; `fis-workshop down{flags}` takes it down when nothing else is in it.",
        cost::about(cost::NETWORK)
    ))
}
