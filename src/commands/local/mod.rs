//! `local`: the embedded endpoint.

mod deliveries;
mod env;
mod pace;
mod reset;
mod serve;
mod start;
mod status;
mod stop;

use clap::{Args, Subcommand};

pub(crate) use serve::{ServeCommand, serve};

use super::context::Context;
use crate::aws::clients::Clients;
use crate::aws::tasks::{self, Task};
use crate::error::Result;

/// Start, stop and inspect the embedded AWS-compatible endpoint
///
/// The other commands start it by themselves when the target is local.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop local start --latency aws --speed 60    As AWS, a minute a second
  eval \"$(fis-workshop local env)\" && aws ecs list-clusters
  fis-workshop local stop")]
pub(crate) struct LocalArgs {
    #[command(subcommand)]
    command: LocalCommand,
}

/// The verbs.
#[derive(Debug, Subcommand)]
enum LocalCommand {
    Start(start::StartArgs),
    Stop(stop::StopArgs),
    Status(status::StatusArgs),
    Env(env::EnvArgs),
    Reset(reset::ResetArgs),
    Serve(ServeCommand),
}

impl LocalArgs {
    /// The arguments of the endpoint itself.
    pub(crate) fn serve_args(&self) -> Option<&ServeCommand> {
        match &self.command {
            LocalCommand::Serve(args) => Some(args),
            _ => None,
        }
    }
}

/// Does what the verb says.
pub(crate) async fn run(context: &Context, args: LocalArgs) -> Result<u8> {
    match args.command {
        LocalCommand::Start(args) => start::run(context, args).await,
        LocalCommand::Stop(args) => stop::run(context, args).await,
        LocalCommand::Status(args) => status::run(context, args),
        LocalCommand::Env(args) => env::run(context, args).await,
        LocalCommand::Reset(args) => reset::run(context, args).await,
        LocalCommand::Serve(args) => serve(context, &args).map(|()| 0),
    }
}

/// The tasks of all clusters that shall run.
async fn running_tasks(clients: &Clients) -> Result<Vec<Task>> {
    let mut running = Vec::new();
    for cluster in tasks::clusters(clients).await? {
        running.extend(tasks::active(clients, &cluster).await?);
    }
    Ok(running)
}
