//! PutLogEvents: events come in by request.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::event::EVENT_OVERHEAD;
use super::refusal::{constraint, invalid};
use super::write::store;
use super::{group, stream};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// Largest batch, and since 2025 also the largest event: UTF-8 bytes and [`EVENT_OVERHEAD`] for each.
const MAX_BATCH_BYTES: usize = 1_048_576;

const MAX_BATCH_EVENTS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PutLogEvents {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputLogEvent>,
    // AWS accepts any token since 2023 and does not look at it.
    #[serde(rename = "sequenceToken")]
    _sequence_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputLogEvent {
    timestamp: i64,
    message: String,
}

pub(super) fn put_log_events(endpoint: &Endpoint, input: PutLogEvents) -> Result<Value, ApiError> {
    let now = Utc::now();
    check_batch(&input.log_events)?;
    endpoint.store.write(|tx| {
        let group = group::named(tx, Some(&input.log_group_name), None)?;
        stream::find(tx, &group.name, &input.log_stream_name)?;
        group::delete_expired(tx, &group, now)?;
        let window = Window::of(&input.log_events, group.retention_in_days, now);
        let accepted = input.log_events.get(window.first..window.end).unwrap_or_default();
        let events = accepted.iter().map(|event| (event.timestamp, event.message.as_str()));
        store(tx, &group.name, &input.log_stream_name, events, now)?;
        let mut output = json!({"nextSequenceToken": format!("{:056}", tx.sql().last_insert_rowid())});
        if !window.rejected.is_empty() {
            output["rejectedLogEventsInfo"] = Value::Object(window.rejected);
        }
        Ok(output)
    })
}

fn check_batch(events: &[InputLogEvent]) -> Result<(), ApiError> {
    if events.is_empty() {
        return Err(constraint("logEvents", "[]", "have length greater than or equal to 1"));
    }
    if events.len() > MAX_BATCH_EVENTS {
        return Err(constraint(
            "logEvents",
            format!("{} events", events.len()),
            &format!("have length less than or equal to {MAX_BATCH_EVENTS}"),
        ));
    }
    for (index, event) in events.iter().enumerate() {
        let number = index + 1;
        if event.message.is_empty() {
            let member = format!("logEvents.{number}.member.message");
            return Err(constraint(&member, "", "have length greater than or equal to 1"));
        }
        if event.timestamp < 0 {
            let member = format!("logEvents.{number}.member.timestamp");
            return Err(constraint(&member, event.timestamp, "have value greater than or equal to 0"));
        }
    }
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum();
    if bytes > MAX_BATCH_BYTES {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {MAX_BATCH_BYTES}")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    if let (Some(first), Some(last)) = (events.first(), events.last())
        && last.timestamp - first.timestamp > TimeDelta::hours(24).num_milliseconds()
    {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

/// The part of a chronological batch that is young and old enough.
struct Window {
    first: usize,
    end: usize,
    /// `rejectedLogEventsInfo`.
    rejected: Map<String, Value>,
}

impl Window {
    fn of(events: &[InputLogEvent], retention_in_days: Option<i64>, now: DateTime<Utc>) -> Self {
        let before = |time: DateTime<Utc>| events.partition_point(|event| event.timestamp < time.timestamp_millis());
        let too_old = before(now - TimeDelta::days(14));
        let expired = retention_in_days.map_or(0, |days| before(now - TimeDelta::days(days)));
        let too_new = events.partition_point(|event| event.timestamp <= (now + TimeDelta::hours(2)).timestamp_millis());
        let mut rejected = Map::new();
        // The end indexes are exclusive, the start index is inclusive.
        if too_old > 0 {
            rejected.insert("tooOldLogEventEndIndex".to_owned(), json!(too_old));
        }
        if expired > too_old {
            rejected.insert("expiredLogEventEndIndex".to_owned(), json!(expired));
        }
        if too_new < events.len() {
            rejected.insert("tooNewLogEventStartIndex".to_owned(), json!(too_new));
        }
        Self { first: too_old.max(expired), end: too_new, rejected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(now: DateTime<Utc>, ages: &[TimeDelta]) -> Vec<InputLogEvent> {
        let at = |age: &TimeDelta| (now - *age).timestamp_millis();
        ages.iter().map(|age| InputLogEvent { timestamp: at(age), message: "m".into() }).collect()
    }

    #[test]
    fn events_outside_the_window_are_rejected_by_index() {
        let now = Utc::now();
        let ages = [TimeDelta::days(15), TimeDelta::days(8), TimeDelta::days(1), TimeDelta::hours(-3)];
        let window = Window::of(&events(now, &ages), Some(7), now);
        assert_eq!((window.first, window.end), (2, 3));
        assert_eq!(
            Value::Object(window.rejected),
            json!({"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3})
        );
        let window = Window::of(&events(now, &[TimeDelta::zero()]), None, now);
        assert_eq!((window.first, window.end, window.rejected.is_empty()), (0, 1, true));
    }

    #[test]
    fn batches_that_aws_refuses() {
        let now = Utc::now();
        assert!(check_batch(&[]).is_err());
        assert!(check_batch(&events(now, &[TimeDelta::zero(), TimeDelta::seconds(1)])).is_err());
        assert!(check_batch(&events(now, &[TimeDelta::hours(25), TimeDelta::zero()])).is_err());
        let large = [InputLogEvent { timestamp: 0, message: "x".repeat(MAX_BATCH_BYTES - EVENT_OVERHEAD + 1) }];
        assert!(check_batch(&large).unwrap_err().message.contains("Upload too large"));
        assert!(check_batch(&[InputLogEvent { timestamp: 0, message: String::new() }]).is_err());
        assert!(check_batch(&events(now, &[TimeDelta::seconds(1), TimeDelta::zero()])).is_ok());
    }
}
