//! Takes up what an earlier endpoint left: events that wait, and environments, which end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::environment::{EnvironmentRecord, directory};
use super::function::Function;
use super::{code, queue};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::program::process::Process;

/// How long what is left of an environment may take to vanish.
const LINGER: Duration = Duration::from_secs(1);

pub(super) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    end_environments(endpoint)?;
    endpoint.store.write(|tx| tx.list::<Function>()?.iter().try_for_each(|function| code::keep(tx, function)))?;
    queue::begin(endpoint);
    Ok(())
}

/// Their processes have ended with the endpoint that made them, unless somebody has killed their guards.
fn end_environments(endpoint: &Endpoint) -> Result<(), ApiError> {
    for entry in std::fs::read_dir(directory(endpoint)).into_iter().flatten().flatten() {
        if let Ok(mut process) = Process::adopt(&entry.path()) {
            process.kill_group();
            let deadline = Instant::now() + LINGER;
            while process.is_alive() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, path = %entry.path().display(), "old files were left behind");
        }
    }
    endpoint.store.write(|tx| {
        let records = tx.list::<EnvironmentRecord>()?;
        records.iter().try_for_each(|record| EnvironmentRecord::forget(tx, &record.id))
    })
}
