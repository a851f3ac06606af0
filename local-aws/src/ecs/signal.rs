//! A signal to the program of a task, which has no time to get ready for it.

use std::time::{Duration, Instant};

use super::refusal::invalid;
use super::task::{Status, Task};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::program::process::{Process, signal_named};

/// How long a program that has just been started may take to have a process id.
const BEGINNING: Duration = Duration::from_secs(5);

/// Sends the signal to the task's program if it bears this name. With `again`, it may have been sent before, and have ended
/// the program.
///
/// # Errors
/// When the task runs no such program, in the words of `killall`.
pub(crate) async fn send(
    endpoint: &Endpoint,
    task_arn: &str,
    name: &str,
    signal: &str,
    again: bool,
) -> Result<(), ApiError> {
    let task = endpoint.store.read(|tx| Task::by_arn(tx, task_arn))?;
    let task = task.filter(|task| task.process_name.as_deref() == Some(name));
    let signal = signal_named(signal).ok_or_else(|| invalid(format!("{signal}: unknown signal")))?;
    let process = task
        .filter(|task| task.last_status == Status::Running)
        .and_then(|task| Process::adopt(&task.directory(endpoint)).ok());
    let deadline = Instant::now() + BEGINNING;
    while let Some(process) = process.as_ref().filter(|process| process.is_alive()) {
        if process.signal(signal) {
            return Ok(());
        }
        if Instant::now() > deadline {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if again { Ok(()) } else { Err(invalid(format!("{task_arn}: {name}: no process found"))) }
}
