use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use local_aws::Identity;
use serde::Serialize;

use crate::commands::context::Context;
use crate::endpoint::StateDir;
use crate::error::{Error, Result};

/// Print the variables that lead the AWS CLI and any SDK to the endpoint
///
/// Starts it if it does not run.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  eval \"$(fis-workshop local env)\" && aws ecs list-clusters")]
pub(super) struct EnvArgs {}

#[derive(Debug, Serialize)]
struct Variables(BTreeMap<&'static str, String>);

/// Prints them.
///
/// # Errors
/// When the endpoint cannot be started or its key pair cannot be read.
pub(super) async fn run(context: &Context, _args: EnvArgs) -> Result<u8> {
    if !context.settings.is_local() {
        return Err(Error::usage("`local env` is about the local target.").hint("Leave `--target aws` out."));
    }
    let connected = context.connect().await?;
    let state = StateDir::new(&context.settings.state_dir);
    let (Some(record), Some(identity)) = (&connected.record, Identity::load(&state.data_dir())?) else {
        return Err(
            Error::failed("The local endpoint has no key pair.").hint("`fis-workshop local reset` starts afresh.")
        );
    };
    context.ui.result(&Variables(BTreeMap::from([
        ("AWS_ENDPOINT_URL", record.endpoint.clone()),
        ("AWS_ACCESS_KEY_ID", identity.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", identity.secret_access_key),
        ("AWS_REGION", identity.region.clone()),
        ("AWS_DEFAULT_REGION", identity.region),
        // Programs differ in which of the two they read.
        ("NO_PROXY", without_proxy("NO_PROXY")),
        ("no_proxy", without_proxy("no_proxy")),
    ])))?;
    Ok(0)
}

/// What goes past a proxy: what did before, and this machine.
fn without_proxy(name: &str) -> String {
    let before = std::env::var(name).unwrap_or_default();
    let mut hosts: Vec<&str> = before.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    for host in ["127.0.0.1", "localhost"] {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts.join(",")
}

impl fmt::Display for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "export {name}={}", quoted(value)))
    }
}

/// The value as a POSIX shell reads it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+=".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}
