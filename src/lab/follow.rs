//! Following a task by its log, to the last line.

use std::time::Instant;

use crate::aws::clients::Clients;
use crate::aws::deployed::{Deployed, Variant};
use crate::aws::logs::{Line, LogReader};
use crate::aws::pace::Pace;
use crate::aws::tasks::{self, Task};
use crate::error::Result;

/// Hands every line of the task's log to `on_line`; returns the task when it is STOPPED and its log is read out.
///
/// # Errors
/// When AWS does not answer or refuses, or `on_line` fails.
pub async fn follow(
    clients: &Clients,
    deployed: &Deployed,
    variant: Variant,
    task_arn: &str,
    mut on_line: impl FnMut(&Line) -> Result<()>,
) -> Result<Task> {
    let mut reader = LogReader::of_task(clients, deployed, variant, task_arn)?;
    let mut pace = clients.pace();
    let mut last_line = Instant::now();
    loop {
        // The task first: what it wrote before it was STOPPED is then in what is read after.
        let task = tasks::get(clients, deployed, task_arn).await?;
        let lines = reader.read().await?;
        if !lines.is_empty() {
            lines.iter().try_for_each(&mut on_line)?;
            last_line = Instant::now();
            pace.reset();
        }
        // On AWS, lines become readable some seconds after they were written.
        if task.is_stopped() && last_line.elapsed() >= Pace::lateness(clients.place) {
            return Ok(task);
        }
        pace.wait().await;
    }
}
