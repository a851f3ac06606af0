//! Looking, again and again.

use std::time::Duration;

use super::seen::{Batch, Seen};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::logs::{self, TaskLine};
use crate::aws::pace::Place;
use crate::aws::program::Program;
use crate::aws::table;
use crate::environment::Environment;
use crate::error::Result;
use crate::status::{Look, look_at};

/// Between two looks: within a second of the event here, and on AWS often enough for items of half a minute.
pub(super) fn pause(place: Place) -> Duration {
    match place {
        Place::Loopback => Duration::from_millis(250),
        Place::Away => Duration::from_secs(5),
    }
}

/// The environment as it is now.
///
/// # Errors
/// When its stacks cannot be read. What else cannot is the problem of its status.
pub(super) async fn look(clients: &Clients, environment: &Environment) -> Result<Seen> {
    let Look { status, deployed } = look_at(clients, None, environment.clone(), usize::MAX).await?;
    let mut seen = Seen { status, cleared_at: 0, item_seconds: 0.0, log: Vec::new() };
    if let Some(deployed) = deployed.filter(|_| seen.status.table.is_some()) {
        seen.item_seconds = deployed.item_seconds()?;
        let cleared_at = table::cleared_at(clients, &deployed).await;
        seen.cleared_at = seen.status.read(cleared_at);
        let log = log(clients, &deployed, seen.batch().as_ref(), &seen).await;
        seen.log = seen.status.read(log);
    }
    Ok(seen)
}

/// What the tasks of the batch have written.
async fn log(clients: &Clients, deployed: &Deployed, batch: Option<&Batch<'_>>, seen: &Seen) -> Result<Vec<TaskLine>> {
    let Some(batch) = batch else { return Ok(Vec::new()) };
    let program = batch.variant.map_or(Program::Own, |variant| variant.design().program);
    let first = batch.tasks.first().and_then(|task| task.created_at.as_deref());
    let first = first.and_then(|time| chrono::DateTime::parse_from_rfc3339(time).ok());
    let since = first.map_or(seen.cleared_at, |time| time.timestamp_millis());
    logs::of_program(clients, deployed, program, since).await
}
