//! Changes of tasks by requests: the tasks' drivers look at their records again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::endpoint::Endpoint;

/// Counts the changes, and tells of each.
#[derive(Default)]
pub(super) struct Changes {
    count: AtomicU64,
    told: Notify,
}

impl Changes {
    pub(super) fn of(endpoint: &Endpoint) -> Arc<Self> {
        endpoint.memory()
    }

    /// How many there have been.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Ready after the next one.
    pub(super) fn next(&self) -> Notified<'_> {
        self.told.notified()
    }
}

/// Tells the drivers that a request has changed a task.
pub(super) fn tell(endpoint: &Endpoint) {
    let changes = Changes::of(endpoint);
    changes.count.fetch_add(1, Ordering::Release);
    changes.told.notify_waiters();
}
