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
/// Starts it if it does not run. With `--unset`, prints what removes them again, except NO_PROXY and no_proxy: what these
/// were before is not known, and this machine needs no proxy anyway.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(fis-workshop local env)\" && aws ecs list-clusters
  eval \"$(fis-workshop local env --unset)\"")]
pub(super) struct EnvArgs {
    /// Print what removes the variables from the shell
    #[arg(long)]
    unset: bool,
}

const ENDPOINT: &str = "AWS_ENDPOINT_URL";
const KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
/// Programs differ in which of the two they read.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// The same.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

#[derive(Debug, Serialize)]
struct Variables(BTreeMap<&'static str, String>);

/// Names of those that are ours alone.
#[derive(Debug, Serialize)]
struct Unset([&'static str; 5]);

/// Prints them.
///
/// # Errors
/// When the endpoint cannot be started or its key pair cannot be read.
pub(super) async fn run(context: &Context, args: EnvArgs) -> Result<u8> {
    // On the way to AWS, too.
    if args.unset {
        let [region, default_region] = REGIONS;
        context.ui.result(&Unset([ENDPOINT, KEY, SECRET, region, default_region]))?;
        return Ok(0);
    }
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
    let mut variables = BTreeMap::from([
        (ENDPOINT, record.endpoint.clone()),
        (KEY, identity.access_key_id),
        (SECRET, identity.secret_access_key),
    ]);
    variables.extend(REGIONS.map(|name| (name, identity.region.clone())));
    variables.extend(NO_PROXY.map(|name| (name, without_proxy(name))));
    context.ui.result(&Variables(variables))?;
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
        self.0.iter().try_for_each(|(name, value)| writeln!(f, "export {name}={}", quoted(value)))?;
        writeln!(f, "# Run: eval \"$(fis-workshop local env)\"")
    }
}

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "unset {}", self.0.join(" "))?;
        writeln!(f, "# Run: eval \"$(fis-workshop local env --unset)\"")
    }
}

/// The value as a POSIX shell reads it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+=".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}
