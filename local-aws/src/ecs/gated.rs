//! What the gate needs of a task.

use std::time::{Duration, Instant};

use super::task::Task;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::program::process::Process;

/// How long a killed process may take to vanish.
const LINGER: Duration = Duration::from_secs(1);

/// Whether the cluster has a task with this id.
pub(crate) fn is_there(endpoint: &Endpoint, cluster: &str, task_id: &str) -> Result<bool, ApiError> {
    Ok(find(endpoint, cluster, task_id)?.is_some())
}

/// Whether it is STOPPED, or forgotten.
pub(crate) fn has_ended(endpoint: &Endpoint, cluster: &str, task_id: &str) -> Result<bool, ApiError> {
    Ok(find(endpoint, cluster, task_id)?.is_none_or(|task| task.is_stopped()))
}

fn find(endpoint: &Endpoint, cluster: &str, task_id: &str) -> Result<Option<Task>, ApiError> {
    endpoint.store.read(|tx| tx.get(&format!("{cluster}/{task_id}")))
}

/// Kills its program and all that this has started, as the loss of the host would: without a signal that it could answer.
pub(crate) async fn kill(endpoint: &Endpoint, task_id: &str) {
    let process = Process::adopt(&endpoint.state_dir.join("tasks").join(task_id));
    // No directory: it has ended by itself.
    let Ok(mut process) = process else { return };
    process.kill_group();
    let deadline = Instant::now() + LINGER;
    while process.is_alive() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
