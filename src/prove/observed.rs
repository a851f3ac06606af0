//! What a run has left.

use super::label::{labels, written};
use crate::aws::gate::Request;
use crate::aws::queue::Depth;
use crate::aws::table::Item;

/// A run, seen from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    pub(super) batch_id: String,
    /// Items of the batch.
    pub(super) size: u64,
    /// In the order in which they were started.
    pub(super) tasks: Vec<Ran>,
    /// In the order in which they came.
    pub(super) requests: Vec<Request>,
    pub(super) items: Vec<Item>,
    /// Messages that are left.
    pub(super) messages: Depth,
}

/// A task, at its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ran {
    pub(super) id: String,
    pub(super) starter: Starter,
    /// None, if its program never ran, or did not end.
    pub(super) exit_code: Option<i32>,
    /// Nothing came of it for so long that it was not waited for any longer.
    pub(super) hung: bool,
    pub(super) log: Vec<String>,
}

/// Who has started a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Starter {
    #[default]
    Person,
    Watchdog,
}

impl Observed {
    /// The requests of a task that have passed.
    pub(super) fn passed(&self, task: usize) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(move |request| request.task == task && request.passed.is_some())
    }

    /// Their labels.
    pub(super) fn labels(&self, task: usize) -> Vec<String> {
        labels(self.passed(task), &self.batch_id)
    }

    /// How many of them there are up to the last one that changes an item.
    pub(super) fn last_write(&self, task: usize) -> usize {
        let writes = |request: &Request| !written(request, &self.batch_id).is_empty();
        let requests: Vec<_> = self.passed(task).collect();
        requests.iter().rposition(|request| writes(request)).map_or(0, |place| place + 1)
    }

    /// Whether the last task ended well.
    pub(super) fn succeeded(&self) -> bool {
        self.tasks.last().is_some_and(|task| task.exit_code == Some(0))
    }
}
