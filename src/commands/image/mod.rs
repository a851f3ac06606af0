//! `image`: the workers' container images.

mod build;
mod choice;
mod inspect;
mod push;

use clap::{Args, Subcommand};

pub(crate) use choice::ImageArgs;

use super::context::{Connected, Context};
use crate::aws::images::RepositoryUri;
use crate::aws::stack;
use crate::environment::NETWORK_STACK;
use crate::error::Result;

/// Build, push and inspect the workers' container images
///
/// `up` pushes what it needs by itself; these commands are for a look inside, other processors and other registries.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop image inspect original
  fis-workshop image push localhost:5000/lab")]
pub(crate) struct ImageCommandArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

/// The verbs.
#[derive(Debug, Subcommand)]
enum ImageCommand {
    Build(build::BuildArgs),
    Push(push::PushArgs),
    Inspect(inspect::InspectArgs),
}

/// Does what the verb says.
pub(crate) async fn run(context: &Context, args: ImageCommandArgs) -> Result<u8> {
    match args.command {
        ImageCommand::Build(args) => build::run(context, args).await,
        ImageCommand::Push(args) => push::run(context, args).await,
        ImageCommand::Inspect(args) => inspect::run(context, args).await,
    }
}

/// The repository of the network's stack.
async fn repository_of_the_lab(connected: &Connected<'_>) -> Result<RepositoryUri> {
    let stack = stack::find(&connected.clients, NETWORK_STACK).await?.ok_or_else(choice::no_network_stack)?;
    RepositoryUri::answered(stack.output("RepositoryUri")?)
}
