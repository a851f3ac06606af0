//! What is kept in memory of the operations under way. What they do next follows from the store alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::error::ApiError;

#[derive(Default)]
pub(super) struct UnderWay {
    /// Told when a call gives a stack something else to do than what it is at.
    pub(super) calls: Notify,
    /// How many operations there are.
    pub(super) count: watch::Sender<usize>,
    /// Those that wait for a state that can be written again (full disk): ids of the stacks, and what is wrong.
    held_up: Mutex<BTreeMap<String, ApiError>>,
}

impl UnderWay {
    /// Takes note of what keeps a stack's operation from going on, or that nothing does any more.
    pub(super) fn hold_up(&self, stack_id: &str, error: Option<ApiError>) {
        match error {
            Some(error) => self.held_up().insert(stack_id.to_owned(), error),
            None => self.held_up().remove(stack_id),
        };
    }

    /// Refuses when the stack's operation is held up: whoever follows it would wait for nothing.
    pub(super) fn check_held_up(&self, stack_id: &str) -> Result<(), ApiError> {
        self.held_up().get(stack_id).map_or(Ok(()), |error| Err(error.clone()))
    }

    fn held_up(&self) -> MutexGuard<'_, BTreeMap<String, ApiError>> {
        self.held_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
