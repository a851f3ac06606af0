//! Who talks to the endpoint: as long as a command does, no other one ends it for being idle.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use super::record::StateDir;
use crate::error::{Error, Result};

/// How long to wait for a command that ends an idle endpoint.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a command that would end an idle endpoint waits for others, which are often about to do the same.
const POLITENESS: Duration = Duration::from_millis(500);

/// The endpoint is in use until this is dropped, or the process ends, however that happens.
#[derive(Debug)]
pub(crate) struct InUse(File);

impl InUse {
    /// Tells the other commands that this one talks to the endpoint.
    pub(crate) async fn begin(state: &StateDir) -> Result<Self> {
        state.create()?;
        let file = StateDir::open_lock(&state.use_lock_file())?;
        if is_locked(|| file.try_lock_shared(), PATIENCE).await? {
            return Ok(Self(file));
        }
        Err(Error::failed("Another command has been ending the local endpoint for too long.")
            .hint("`fis-workshop local stop` ends it; then repeat the command."))
    }

    /// Whether this was the only command that used the endpoint. Then no other one begins before the end of this one.
    pub(crate) async fn end_as_last(&self) -> Result<bool> {
        // Two at once would wait for one another otherwise.
        self.0.unlock().map_err(unlockable)?;
        is_locked(|| self.0.try_lock(), POLITENESS).await
    }
}

async fn is_locked(lock: impl Fn() -> std::result::Result<(), TryLockError>, patience: Duration) -> Result<bool> {
    let begin = Instant::now();
    loop {
        match lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if begin.elapsed() < patience => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(unlockable(error)),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn unlockable(error: std::io::Error) -> Error {
    Error::failed("The state directory cannot be locked.").cause(error)
}
