//! Asynchronous invocations: events wait in the store until they are handled, or cannot be.
//!
//! An event leaves the store in the transaction that hands on what came of it. So it is handled at least once, and once
//! more if the endpoint is killed while it is handled. All attempts bear the same request id.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::destination;
use super::environments::{Environments, MAX_ENVIRONMENTS};
use super::function::Function;
use super::invocation::{self, Outcome};
use super::waiting::{self, Waiting};
use crate::background;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::latency::{Latency, until};
use crate::store::Record;

/// Waiting time before the second attempt; before the third it is twice as long.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(60);

/// Waiting times when there is no room for the function: twice as long each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const LAST_BACK_OFF: Duration = Duration::from_secs(300);

/// By how much these are shorter where nothing takes longer than it needs: nobody is asked without a break.
const BACK_OFF_SPEED: f64 = 60.0;

/// How long to wait when the state cannot be read or written.
const RETRY: Duration = Duration::from_secs(1);

/// Which events are being handled, and who looks for others.
#[derive(Debug, Default)]
pub(super) struct Queue {
    // A std Mutex: never held across an await.
    under_way: Mutex<HashSet<String>>,
    told: Notify,
}

/// An event that is being handled.
struct UnderWay {
    queue: Arc<Queue>,
    id: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.queue.under_way().remove(&self.id);
        self.queue.told.notify_one();
    }
}

impl Queue {
    fn of(endpoint: &Endpoint) -> Arc<Self> {
        endpoint.memory()
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<String>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets events be handled that a transaction has put into the store.
pub(super) fn wake(endpoint: &Endpoint) {
    Queue::of(endpoint).told.notify_one();
}

/// Begins to handle the events in the store.
pub(super) fn begin(endpoint: &Arc<Endpoint>) {
    let endpoint = Arc::downgrade(endpoint);
    background::drive("asynchronous invocations", move || dispatch(Weak::clone(&endpoint)));
}

/// Hands out events when they are due. Holds the endpoint only while it looks for them.
async fn dispatch(endpoint: Weak<Endpoint>) {
    let Some((queue, environments)) = endpoint.upgrade().map(|it| (Queue::of(&it), Environments::of(&it))) else {
        return;
    };
    loop {
        let Some(held) = endpoint.upgrade() else { return };
        let next = hand_out(&held, &queue);
        drop(held);
        let pause = async {
            match next {
                Ok(Some(due)) => tokio::time::sleep(until(due)).await,
                Ok(None) => std::future::pending().await,
                Err(error) => {
                    tracing::error!(%error, "events could not be looked for; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        tokio::select! {
            () = queue.told.notified() => {}
            () = environments.is_freed() => {}
            () = pause => {}
        }
    }
}

/// Begins to handle the events that are due; when the next one is.
fn hand_out(endpoint: &Arc<Endpoint>, queue: &Arc<Queue>) -> Result<Option<DateTime<Utc>>, ApiError> {
    let now = Utc::now();
    let busy = queue.under_way().clone();
    let most = MAX_ENVIRONMENTS.saturating_sub(busy.len());
    for waiting in endpoint.store.read(|tx| waiting::due(tx, now, &busy, most))? {
        let id = waiting.request.id.clone();
        queue.under_way().insert(id.clone());
        let under_way = UnderWay { queue: Arc::clone(queue), id };
        let endpoint = Arc::clone(endpoint);
        tokio::spawn(async move {
            let result = attempt(&endpoint, &waiting).await;
            if let Err(error) = result {
                tracing::error!(%error, request = waiting.request.id, "an event could not be handled; trying again");
                tokio::time::sleep(RETRY).await;
            }
            drop(under_way);
        });
    }
    let busy = queue.under_way().clone();
    // While no other can be handled, the end of one wakes us.
    if busy.len() >= MAX_ENVIRONMENTS {
        return Ok(None);
    }
    endpoint.store.read(|tx| waiting::next_due(tx, &busy))
}

/// Lets the function handle the event once, and writes down what came of it.
async fn attempt(endpoint: &Arc<Endpoint>, waiting: &Waiting) -> Result<(), ApiError> {
    let Some(function) = endpoint.store.read(|tx| tx.get::<Function>(&waiting.function))? else {
        // As on AWS, the events of a function go with it.
        return endpoint.store.write(|tx| waiting::delete(tx, &waiting.request.id).map(drop));
    };
    if Utc::now() - waiting.accepted_at > longest(endpoint.latency, function.maximum_event_age()) {
        return finish(endpoint, &function, waiting, destination::Condition::EventAgeExceeded, None);
    }
    match invocation::run(endpoint, &function, &waiting.request).await {
        Ok(outcome) if outcome.is_error => {
            let failed = Waiting { attempts: waiting.attempts + 1, ..waiting.clone() };
            if failed.attempts > function.maximum_retry_attempts() {
                let condition = destination::Condition::RetriesExhausted;
                return finish(endpoint, &function, &failed, condition, Some(&outcome));
            }
            let wait = endpoint.latency.of(BETWEEN_ATTEMPTS * failed.attempts);
            endpoint.store.write(|tx| waiting::put_off(tx, &failed, wait))
        }
        Ok(outcome) => {
            let handled = Waiting { attempts: waiting.attempts + 1, ..waiting.clone() };
            finish(endpoint, &function, &handled, destination::Condition::Success, Some(&outcome))
        }
        Err(refusal) => {
            tracing::info!(%refusal, function = function.name, "an event goes back to its queue");
            let wait = back_off(endpoint.latency, waiting.throttles);
            let throttled = Waiting { throttles: waiting.throttles + 1, ..waiting.clone() };
            endpoint.store.write(|tx| waiting::put_off(tx, &throttled, wait))
        }
    }
}

/// How old an event may become: it ages as fast as its waiting times pass.
fn longest(latency: Latency, seconds: u32) -> TimeDelta {
    let age = Duration::from_secs(seconds.into());
    let age = if latency.is_none() { age } else { latency.of(age) };
    TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX)
}

fn back_off(latency: Latency, throttles: u32) -> Duration {
    let wait = (FIRST_BACK_OFF * 2_u32.saturating_pow(throttles.min(16))).min(LAST_BACK_OFF);
    if latency.is_none() { wait.div_f64(BACK_OFF_SPEED) } else { latency.of(wait) }
}

/// Takes the event out of the store and hands on what came of it.
fn finish(
    endpoint: &Endpoint,
    function: &Function,
    waiting: &Waiting,
    condition: destination::Condition,
    outcome: Option<&Outcome>,
) -> Result<(), ApiError> {
    endpoint.store.write(|tx| {
        // Its destinations are those of now.
        let function = tx.get::<Function>(&function.id())?;
        if waiting::delete(tx, &waiting.request.id)?
            && let Some(function) = function
        {
            destination::hand_on(tx, endpoint, &function, waiting, condition, outcome)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_throttled_waits_longer_and_longer() {
        let waits = |latency: Latency| [0, 1, 8, 9, 40].map(|throttles| back_off(latency, throttles).as_millis());
        let aws = Latency::aws(1.0).unwrap();
        assert_eq!(waits(aws), [1000, 2000, 256_000, 300_000, 300_000]);
        assert_eq!(waits(Latency::NONE), [16, 33, 4266, 5000, 5000]);
        assert_eq!(longest(Latency::aws(60.0).unwrap(), 60), TimeDelta::seconds(1));
        assert_eq!(longest(Latency::NONE, 60), TimeDelta::minutes(1));
    }
}
