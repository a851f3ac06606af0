//! Who waits for a message of a queue: woken when there is one, and told when there will be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::endpoint::Endpoint;

/// The longest that a call of ReceiveMessage waits, in milliseconds.
pub(super) const LONGEST_WAIT: i64 = 20_000;

/// By the names of the queues.
#[derive(Default)]
pub(super) struct Waiters(Mutex<HashMap<String, Arc<Notify>>>);

impl Waiters {
    /// Those of a queue.
    pub(super) fn of(endpoint: &Endpoint, queue: &str) -> Arc<Notify> {
        let waiters = endpoint.memory::<Self>();
        let mut queues = waiters.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(queue.to_owned()).or_default())
    }

    /// The queue is gone, which all of them will find.
    pub(super) fn dismiss(endpoint: &Endpoint, queue: &str) {
        let waiters = endpoint.memory::<Self>();
        let gone = waiters.0.lock().unwrap_or_else(PoisonError::into_inner).remove(queue);
        if let Some(gone) = gone {
            gone.notify_waiters();
        }
    }
}

/// Says that a message of the queue can be had from `visible_at` on.
///
/// In the transaction that makes it so: who is woken comes to the store after its end. One is woken for one message; who
/// takes as many as he asked for wakes the next.
pub(super) fn tell(endpoint: &Endpoint, queue: &str, visible_at: i64, now: i64) {
    if visible_at <= now {
        Waiters::of(endpoint, queue).notify_one();
    } else if visible_at - now <= LONGEST_WAIT {
        // All of them: each has to know until when to sleep, for any of them may leave before.
        Waiters::of(endpoint, queue).notify_waiters();
    }
}
