use std::io::Read;

use clap::Args;
use fis_workshop_images::Architecture;

use super::super::context::Context;
use crate::aws::images::{self, Built, Credentials, Registry, RepositoryUri, ecr};
use crate::aws::way_out::Trust;
use crate::error::{Error, Result};

/// Push the images to a registry
///
/// Each gets a tag that is the hash of its content, so nothing is ever overwritten; what the registry has already is not
/// sent again. Credentials for ECR come from AWS.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop image push --target aws           To the lab's repository in ECR
  fis-workshop image push localhost:5000/lab
  fis-workshop image push ghcr.io/me/lab --username me --password-stdin < token")]
pub(super) struct PushArgs {
    /// Where to, HOST/NAME [default: the lab's repository]
    repository: Option<String>,
    /// Processor: x86_64 or arm64 [default: this machine's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<Architecture>,
    /// User of the registry, unless it is ECR
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from stdin
    #[arg(long, requires = "username")]
    password_stdin: bool,
}

/// Pushes the images.
pub(super) async fn run(context: &Context, args: PushArgs) -> Result<u8> {
    let built = Built::find(&context.settings, args.arch)?;
    let named: Option<RepositoryUri> = args.repository.as_deref().map(str::parse).transpose()?;
    let registry = match (named, args.username) {
        (Some(repository), username) if repository.ecr().is_none() => {
            let credentials = match username {
                Some(username) => Credentials::Basic { username, password: password()? },
                None => Credentials::Anonymous,
            };
            Registry::open(&repository, &repository.host, credentials, &Trust::Machine)?
        }
        (_, Some(_)) => {
            return Err(Error::usage("ECR gives the credentials itself; it takes no user and no password.")
                .hint("Leave `--username` out; `--profile` takes other AWS credentials."));
        }
        (named, None) => {
            let connected = context.connect().await?;
            let repository = match named {
                Some(repository) => {
                    ecr::look_up(&connected.clients, &repository).await?;
                    repository
                }
                None => super::repository_of_the_lab(&connected).await?,
            };
            ecr::registry(&connected.clients, &repository).await?
        }
    };
    let line = context.ui.progress(format!("Pushing to {}", registry.repository()));
    let pushed = images::push(&registry, &built.images, |progress| line.now(format!("Pushing: {progress}"))).await;
    drop(line);
    context.ui.result(&pushed?)?;
    Ok(0)
}

fn password() -> Result<String> {
    let mut password = String::new();
    std::io::stdin()
        .read_to_string(&mut password)
        .map_err(|error| Error::usage("The password cannot be read from stdin.").cause(error))?;
    // A file, or `echo`, ends with a line break that belongs to no password.
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() { Err(Error::usage("The password on stdin is empty.")) } else { Ok(password) }
}
