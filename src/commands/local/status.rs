use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use local_aws::Identity;
use serde::Serialize;

use crate::commands::context::Context;
use crate::endpoint::{Latency, StateDir};
use crate::error::Result;

/// Show whether the endpoint runs, and where
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop local status
  fis-workshop local status --output json")]
pub(super) struct StatusArgs {}

/// The endpoint's state.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    running: bool,
    pid: Option<u32>,
    port: Option<u16>,
    endpoint: Option<String>,
    started_at: Option<DateTime<Utc>>,
    latency: Option<Latency>,
    speed: Option<f64>,
    version: Option<String>,
    account_id: Option<String>,
    region: Option<String>,
    state_dir: PathBuf,
    log: PathBuf,
}

impl Status {
    /// As it is now.
    pub(super) fn of(state: &StateDir) -> Result<Self> {
        let record = state.running()?;
        let identity = Identity::load(&state.data_dir())?;
        let record = record.as_ref();
        Ok(Self {
            running: record.is_some(),
            pid: record.map(|record| record.pid),
            port: record.map(|record| record.port),
            endpoint: record.map(|record| record.endpoint.clone()),
            started_at: record.map(|record| record.started_at),
            latency: record.map(|record| record.pace.latency),
            speed: record.map(|record| record.pace.speed),
            version: record.map(|record| record.version.clone()),
            account_id: identity.as_ref().map(|identity| identity.account_id.clone()),
            region: identity.as_ref().map(|identity| identity.region.clone()),
            state_dir: state.path().to_owned(),
            log: state.log_file(),
        })
    }
}

/// Shows it.
pub(super) fn run(context: &Context, _args: StatusArgs) -> Result<u8> {
    context.ui.result(&Status::of(&StateDir::new(&context.settings.state_dir))?)?;
    Ok(0)
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.endpoint, self.pid) {
            (Some(endpoint), Some(pid)) => writeln!(f, "The local endpoint runs at {endpoint} (pid {pid}).")?,
            _ => writeln!(f, "The local endpoint does not run.")?,
        }
        if let (Some(account), Some(region)) = (&self.account_id, &self.region) {
            writeln!(f, "  account {account}, region {region}")?;
        }
        if let (Some(Latency::Aws), Some(speed)) = (self.latency, self.speed) {
            writeln!(f, "  latency as on AWS, {speed} times as fast")?;
        }
        writeln!(f, "  state   {}", self.state_dir.display())?;
        writeln!(f, "  log     {}", self.log.display())
    }
}
