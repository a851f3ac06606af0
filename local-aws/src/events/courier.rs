//! Takes events from the outbox to the targets, and sends those of schedules when they are due.
//!
//! Every step is one transaction: an event leaves the outbox together with its deliveries, and a delivery goes together
//! with what its target has got. So a kill loses none and doubles none. There is one courier, and it waits for the
//! [`Bell`] or for an exact time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::attempt::{After, attempt};
use super::delivery::{self, Delivery};
use super::failure::Failure;
use super::retry::{self, Verdict};
use super::route::{fire, route};
use super::rule::Rule;
use super::run_task::SERVICE;
use super::target::Target;
use crate::background;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::Principal;
use crate::latency::until;
use crate::outbox::Bell;
use crate::sqs;

/// How long to wait when the state cannot be read or written.
const RETRY: Duration = Duration::from_secs(1);

/// The longest wait for a time: who sets the clock, or wakes the machine from its sleep, tells nobody.
const LOOK: Duration = Duration::from_secs(60);

/// Begins to take events around. What became due while no endpoint was there is not sent any more.
pub(super) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let endpoint = Arc::downgrade(endpoint);
    background::drive("the courier of events", move || run(Weak::clone(&endpoint)));
    Ok(())
}

// Holds the endpoint only during a round: the state directory is free for another one as soon as it stops serving.
async fn run(endpoint: Weak<Endpoint>) {
    let Some(bell) = endpoint.upgrade().map(|endpoint| Bell::of(&endpoint)) else { return };
    let mut fired = Utc::now();
    loop {
        let Some(endpoint) = endpoint.upgrade() else { return };
        let next = round(&endpoint, &mut fired).await;
        drop(endpoint);
        let pause = match next {
            Ok(next) => next.map(|time| until(time).min(LOOK)),
            Err(error) => {
                tracing::error!(%error, "events could not be delivered; trying again");
                Some(RETRY)
            }
        };
        tokio::select! {
            () = bell.heard() => {}
            () = sleep(pause) => {}
        }
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// Does all that is due; when the next is.
async fn round(endpoint: &Arc<Endpoint>, fired: &mut DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ApiError> {
    while endpoint.store.write(|tx| route(endpoint, tx, Utc::now()))? {
        tokio::task::yield_now().await;
    }
    let now = Utc::now();
    let next_firing = endpoint.store.write(|tx| fire(endpoint, tx, *fired, now))?;
    *fired = now;
    loop {
        match deliver(endpoint)? {
            Step::Done => tokio::task::yield_now().await,
            Step::Nothing(next_delivery) => return Ok(next_firing.into_iter().chain(next_delivery).min()),
        }
    }
}

enum Step {
    Done,
    /// Nothing before this time.
    Nothing(Option<DateTime<Utc>>),
}

/// A delivery whose transaction was undone.
struct Failed {
    delivery: Delivery,
    rule: Rule,
    target: Target,
    failure: Failure,
}

/// Tries the next delivery that is due.
fn deliver(endpoint: &Arc<Endpoint>) -> Result<Step, ApiError> {
    let now = Utc::now();
    let mut failed = None;
    let tried = endpoint.store.write(|tx| {
        let delivery = match delivery::next(tx, now)? {
            Ok(delivery) => delivery,
            Err(next) => return Ok((Step::Nothing(next), After::Nothing)),
        };
        let rule = tx.get::<Rule>(&delivery.rule)?;
        let target = rule.as_ref().and_then(|rule| rule.targets.iter().find(|one| one.id == delivery.target).cloned());
        let (Some(rule), Some(target)) = (rule, target) else {
            // Whoever took the rule or its target away wants no more of it.
            delivery.drop(tx)?;
            return Ok((Step::Done, After::Nothing));
        };
        match attempt(endpoint, tx, &rule, &target, &delivery) {
            Ok(after) => {
                delivery.done(endpoint, tx, now)?;
                Ok((Step::Done, after))
            }
            Err(failure) => {
                let undo = ApiError::internal(failure.message.clone());
                failed = Some(Failed { delivery, rule, target, failure });
                Err(undo)
            }
        }
    });
    match (tried, failed) {
        (Err(_), Some(failed)) => failed.settle(endpoint, now).map(|()| Step::Done),
        (Err(error), None) => Err(error),
        (Ok((step, after)), _) => {
            after.act(endpoint);
            Ok(step)
        }
    }
}

impl Failed {
    fn settle(&self, endpoint: &Arc<Endpoint>, now: DateTime<Utc>) -> Result<(), ApiError> {
        let Self { delivery, rule, target, failure } = self;
        let verdict = retry::judge(target, delivery, failure, now);
        tracing::warn!(
            rule = rule.name,
            target = target.id,
            arn = target.arn,
            attempts = delivery.attempts,
            code = failure.code,
            cause = failure.message,
            ?verdict,
            "an event was not delivered"
        );
        match verdict {
            Verdict::Again(pause) => endpoint.store.write(|tx| delivery.put_off(tx, now, pause)),
            Verdict::Over(limit) => self.bury(endpoint, limit),
        }
    }

    /// Puts the event into the dead-letter queue, or drops it.
    fn bury(&self, endpoint: &Arc<Endpoint>, limit: Option<&'static str>) -> Result<(), ApiError> {
        let Self { delivery, rule, target, failure } = self;
        let Some(queue) = target.dead_letter_queue() else {
            tracing::warn!(
                rule = rule.name,
                target = target.id,
                "the event was dropped: the target has no dead-letter queue"
            );
            return endpoint.store.write(|tx| delivery.drop(tx));
        };
        let letter = endpoint.store.write(|tx| {
            let attributes = retry::attributes(rule, target, delivery, failure, limit);
            let attributes: Vec<_> = attributes.iter().map(|(name, value)| (*name, "String", value.as_str())).collect();
            let from = Principal { service: SERVICE, source_arn: &rule.arn };
            sqs::deliver(tx, endpoint, queue, &from, &delivery.event, &attributes)?;
            delivery.drop(tx)
        });
        match letter {
            Err(error) if error.status < 500 => {
                tracing::warn!(
                    rule = rule.name,
                    target = target.id,
                    queue,
                    cause = error.message,
                    "the event was dropped: the dead-letter queue did not take it"
                );
                endpoint.store.write(|tx| delivery.drop(tx))
            }
            done => done,
        }
    }
}

#[cfg(test)]
mod tests;
