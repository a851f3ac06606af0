//! What becomes of an event that its target has not got: another try, the dead-letter queue, or nothing.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;

use super::delivery::Delivery;
use super::failure::Failure;
use super::rule::Rule;
use super::target::Target;

/// AWS's defaults, which are also the most.
const MOST_ATTEMPTS: i64 = 185;
const MOST_AGE: i64 = 24 * 60 * 60;

/// The pause before the first retry, and the longest: with it, 185 attempts last about a day.
const FIRST: TimeDelta = TimeDelta::seconds(1);
const LONGEST: TimeDelta = TimeDelta::minutes(8);

/// What is next for a delivery that failed.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Another try after this pause.
    Again(TimeDelta),
    /// No more tries; which limit of the target's policy has ended them, if one has.
    Over(Option<&'static str>),
}

pub(super) fn judge(target: &Target, delivery: &Delivery, failure: &Failure, now: DateTime<Utc>) -> Verdict {
    if !failure.is_transient {
        return Verdict::Over(None);
    }
    let policy = target.retry_policy.clone().unwrap_or_default();
    if i64::from(delivery.attempts) >= policy.maximum_retry_attempts.unwrap_or(MOST_ATTEMPTS) {
        return Verdict::Over(Some("MaximumRetryAttempts"));
    }
    let pause = pause(delivery.attempts);
    let age = TimeDelta::seconds(policy.maximum_event_age_in_seconds.unwrap_or(MOST_AGE));
    if now + pause - delivery.accepted_at > age {
        return Verdict::Over(Some("MaximumEventAgeInSeconds"));
    }
    Verdict::Again(pause)
}

/// Twice as long each time, and by chance up to half of that shorter.
fn pause(attempts: u32) -> TimeDelta {
    let whole = FIRST.checked_mul(1 << attempts.min(16)).unwrap_or(LONGEST).min(LONGEST).num_milliseconds();
    TimeDelta::milliseconds(rand::rng().random_range(whole / 2..=whole))
}

/// The attributes of a dead letter: name and value, all of them strings.
pub(super) fn attributes(
    rule: &Rule,
    target: &Target,
    delivery: &Delivery,
    failure: &Failure,
    limit: Option<&'static str>,
) -> Vec<(&'static str, String)> {
    let mut attributes = vec![
        ("RULE_ARN", rule.arn.clone()),
        ("TARGET_ARN", target.arn.clone()),
        ("ERROR_CODE", failure.code.to_owned()),
        ("ERROR_MESSAGE", failure.message.clone()),
        ("RETRY_ATTEMPTS", delivery.attempts.to_string()),
    ];
    attributes.extend(limit.map(|limit| ("EXHAUSTED_RETRY_CONDITION", limit.to_owned())));
    attributes
}
