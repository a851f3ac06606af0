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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(policy: serde_json::Value, attempts: u32, age: TimeDelta, is_transient: bool) -> Verdict {
        let target = json!({"Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RetryPolicy": policy});
        let target = serde_json::from_value(target).unwrap();
        let now = Utc::now();
        let failure = Failure { code: "INTERNAL_ERROR", message: String::new(), is_transient };
        judge(&target, &Delivery::of_age(now, age, attempts), &failure, now)
    }

    #[test]
    fn what_may_pass_is_tried_again_until_a_limit() {
        let second = TimeDelta::seconds(1);
        assert_eq!(judged(json!({}), 0, second, false), Verdict::Over(None));
        for (attempts, longest) in [(0, second), (3, second * 8), (184, LONGEST)] {
            let Verdict::Again(pause) = judged(json!({}), attempts, second, true) else { panic!("over") };
            assert!(pause >= longest / 2 && pause <= longest, "{attempts}: {pause}");
        }
        assert_eq!(judged(json!({}), 185, second, true), Verdict::Over(Some("MaximumRetryAttempts")));
        let none = json!({"MaximumRetryAttempts": 0});
        assert_eq!(judged(none, 0, second, true), Verdict::Over(Some("MaximumRetryAttempts")));
        let minute = json!({"MaximumEventAgeInSeconds": 60});
        assert!(matches!(judged(minute.clone(), 0, second * 50, true), Verdict::Again(_)));
        assert_eq!(judged(minute, 0, second * 60, true), Verdict::Over(Some("MaximumEventAgeInSeconds")));
        assert_eq!(judged(json!({}), 5, TimeDelta::hours(24), true), Verdict::Over(Some("MaximumEventAgeInSeconds")));
    }
}
