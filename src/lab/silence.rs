//! How long a worker has written nothing at all: neither a line of its log nor an item.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::table;
use crate::aws::tasks::Task;

/// The silence of one worker.
#[derive(Debug)]
pub(crate) struct Silence<'a> {
    clients: &'a Clients,
    deployed: &'a Deployed,
    /// How long it may last; for ever without.
    limit: Option<Duration>,
    /// What does not run yet cannot be silent.
    since: Cell<Option<Instant>>,
}

impl<'a> Silence<'a> {
    /// Of a worker that is about to start.
    pub(crate) fn new(clients: &'a Clients, deployed: &'a Deployed, limit: Option<Duration>) -> Self {
        Self { clients, deployed, limit, since: Cell::default() }
    }

    /// The worker has begun to run, or written a line: from now on, again.
    pub(crate) fn begin(&self) {
        self.since.set(Some(Instant::now()));
    }

    /// The same by its state.
    pub(crate) fn note(&self, task: &Task) {
        if task.is_running() {
            self.begin();
        }
    }

    /// Resolves when it has lasted for too long; to how long that is. The table is asked only where the log tells nothing.
    pub(crate) async fn lasts(&self) -> Duration {
        let Some(limit) = self.limit else { return pending().await };
        // A table that cannot be read tells nothing either.
        let items = async || table::items(self.clients, self.deployed).await.ok();
        let mut known = items().await;
        loop {
            tokio::time::sleep_until(self.since.get().unwrap_or_else(Instant::now) + limit).await;
            if self.since.get().is_none_or(|since| since.elapsed() < limit) {
                continue;
            }
            let now = items().await;
            if now == known {
                return limit;
            }
            known = now;
            self.begin();
        }
    }
}
