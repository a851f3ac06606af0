//! How long a worker has written nothing at all: neither a line of its log nor an item.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::table;
use crate::aws::tasks::{self, Task};
use crate::error::Result;

/// How long a silence may last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// For ever: our own workers are known.
    None,
    /// As long as two items take, and half a minute for its start.
    Usual,
    /// As long as somebody has said.
    Given(Duration),
}

impl Limit {
    fn of(self, item_seconds: f64) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::Usual => Some(Duration::from_secs(30) + Duration::from_secs_f64(2.0 * item_seconds)),
            Self::Given(limit) => Some(limit),
        }
    }
}

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
    /// Of a worker that is about to start, and takes so long for an item.
    pub(crate) fn new(clients: &'a Clients, deployed: &'a Deployed, limit: Limit, item_seconds: f64) -> Self {
        Self { clients, deployed, limit: limit.of(item_seconds), since: Cell::default() }
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

    /// Resolves when it has lasted for too long, and the task was told to stop; to what there is to say. The table is asked
    /// only where the log tells nothing.
    ///
    /// # Errors
    /// When the task cannot be stopped.
    pub(crate) async fn ends(&self, task: &Task) -> Result<String> {
        let seconds = self.lasts().await.as_secs_f64();
        tasks::stop(self.clients, self.deployed.cluster()?, &task.task_arn, "It was silent for too long").await?;
        Ok(format!("Your worker has written neither a line nor an item for {seconds} s: it is stopped."))
    }

    async fn lasts(&self) -> Duration {
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
