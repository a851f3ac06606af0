//! The local endpoint as a background process: its record in the state directory, start, stop, reset.
//!
//! Whether it runs is asked of the kernel, not of a pid file: the process holds a lock on `local.lock` as long as it
//! lives, so a record that a `kill -9` left behind deceives nobody. `local.json` says where it listens.

mod in_use;
mod record;
mod serve;
mod start;

pub(crate) use in_use::InUse;
pub(crate) use record::{Deliveries, Latency, Pace, Record, StateDir};
pub(crate) use serve::{ServeArgs, serve};
pub(crate) use start::{DEFAULT_PORT, Start, start};

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};

/// How long a stopping endpoint may take: its grace for open requests is 2 s.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How long an endpoint that holds the lock may take to say who it is.
const START_PATIENCE: Duration = Duration::from_secs(2);

/// Asks the endpoint to end and waits until it has; `None` when none was running.
///
/// # Errors
/// When it cannot be signalled or does not end.
pub(crate) async fn stop(state: &StateDir) -> Result<Option<Record>> {
    let Some(record) = record_of_living(state).await? else { return Ok(None) };
    let pid = i32::try_from(record.pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| Error::failed(format!("{} names no process.", state.record_file().display())))?;
    match kill_process(pid, Signal::TERM) {
        // Gone between the look and the signal: the lock will say so.
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => {
            return Err(
                Error::failed(format!("The local endpoint (pid {}) cannot be stopped.", record.pid)).cause(error)
            );
        }
    }
    let begin = Instant::now();
    while state.is_locked()? {
        if begin.elapsed() > STOP_PATIENCE {
            return Err(Error::failed(format!("The local endpoint (pid {}) does not end.", record.pid))
                .hint(format!("Its log is {}.", state.log_file().display())));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(Some(record))
}

/// Ends the endpoint when nobody asked for it by name, nothing is in it any more, and no other command uses it: the last
/// one that does will. Says whether it did.
pub(crate) async fn stop_if_unused(
    state: &StateDir,
    record: &Record,
    in_use: &InUse,
    is_empty: impl AsyncFnOnce() -> Result<bool>,
) -> Result<bool> {
    if !record.automatic || !in_use.end_as_last().await? {
        return Ok(false);
    }
    // Another one that was taking everything down may have ended it, or one that set something up begun and ended.
    let is_there = state.running()?.is_some_and(|running| running.pid == record.pid);
    if !is_there || !is_empty().await? {
        return Ok(false);
    }
    stop(state).await?;
    Ok(true)
}

/// The record of the endpoint that lives. One that is just starting gets the moment it needs to write it.
async fn record_of_living(state: &StateDir) -> Result<Option<Record>> {
    let begin = Instant::now();
    while state.is_locked()? {
        if let Some(record) = state.record()?.filter(|record| record.pid != 0) {
            return Ok(Some(record));
        }
        if begin.elapsed() > START_PATIENCE {
            return Err(Error::failed("The local endpoint is just starting.").hint("Repeat the command in a second."));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(None)
}

/// Deletes what the endpoint has written; the caller has stopped it.
///
/// # Errors
/// When it runs, or a file cannot be removed.
pub(crate) fn delete_state(state: &StateDir) -> Result<()> {
    if state.is_locked()? {
        return Err(Error::failed("The local endpoint runs; its state cannot be deleted under it."));
    }
    let failed = |path: &std::path::Path, error: std::io::Error| {
        Error::failed(format!("{} cannot be deleted.", path.display())).cause(error)
    };
    let gone = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let data = state.data_dir();
    gone(std::fs::remove_dir_all(&data)).map_err(|error| failed(&data, error))?;
    let unfinished = state.unfinished_records().map_err(|error| failed(state.path(), error))?;
    let files =
        [state.record_file(), state.log_file(), state.start_lock_file(), state.use_lock_file(), state.lock_file()];
    for file in unfinished.into_iter().chain(files) {
        gone(std::fs::remove_file(&file)).map_err(|error| failed(&file, error))?;
    }
    // Ours only if nothing else is in it: somebody may have named a directory that holds other things.
    match std::fs::remove_dir(state.path()) {
        Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::DirectoryNotEmpty) => {
            Err(failed(state.path(), error))
        }
        _ => Ok(()),
    }
}
