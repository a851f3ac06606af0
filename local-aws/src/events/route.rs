//! From events to deliveries: which rules an event is for, and which rules are due.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::delivery;
use super::pattern::Pattern;
use super::rule::Rule;
use super::schedule::Schedule;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::outbox::{self, Event};
use crate::store::Tx;

/// Events of one transaction.
const BATCH: u32 = 64;

/// Takes events out of the outbox and sends each to the targets of the rules that it is for; whether there may be more.
pub(super) fn route(endpoint: &Endpoint, tx: &Tx<'_>, now: DateTime<Utc>) -> Result<bool, ApiError> {
    let events = outbox::take(tx, BATCH)?;
    if events.is_empty() {
        return Ok(false);
    }
    let rules = tx.list::<Rule>()?.into_iter().filter(Rule::is_enabled);
    let rules: Vec<(Rule, Pattern)> = rules
        .filter_map(|rule| {
            let pattern = readable(&rule, Pattern::compile(rule.settings.event_pattern.as_ref()?))?;
            Some((rule, pattern))
        })
        .collect();
    for text in &events {
        let event: Value = serde_json::from_str(text)?;
        for (rule, pattern) in &rules {
            if pattern.matches(&event) {
                tracing::debug!(rule = rule.name, event = %event["id"], "a rule is for this event");
                delivery::put(endpoint, tx, rule, text, now)?;
            }
        }
    }
    Ok(events.len() >= BATCH as usize)
}

/// What an earlier version of this program took, this one may not: such a rule must not keep the others waiting.
fn readable<T>(rule: &Rule, read: Result<T, ApiError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(rule = rule.name, %error, "this version cannot read the rule")).ok()
}

/// Sends a scheduled event to the targets of each rule that became due after `after`; when the next one is due. One that
/// became due more than once, while this machine slept, is sent once.
pub(super) fn fire(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    after: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, ApiError> {
    let mut next: Option<DateTime<Utc>> = None;
    for rule in tx.list::<Rule>()?.into_iter().filter(Rule::is_enabled) {
        let Some(expression) = &rule.settings.schedule_expression else { continue };
        let Some(schedule) = readable(&rule, Schedule::parse(expression)) else { continue };
        let mut due = schedule.next_after(rule.since, after.max(rule.since));
        if let Some(time) = due.filter(|time| *time <= now) {
            let event = Event::new("aws.events", "Scheduled Event", vec![rule.arn.clone()], json!({}));
            let text = Event { time, ..event }.text(endpoint)?;
            delivery::put(endpoint, tx, &rule, &text, now)?;
            due = schedule.next_after(rule.since, now);
        }
        next = next.into_iter().chain(due).min();
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::rule::Settings;
    use super::*;

    fn endpoint() -> (tempfile::TempDir, Endpoint) {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap();
        (dir, endpoint)
    }

    fn rule(endpoint: &Endpoint, tx: &Tx<'_>, name: &str, settings: Settings) -> Result<Rule, ApiError> {
        let mut rule = Rule::put(endpoint, tx, name, settings)?;
        let target = json!({"Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"});
        rule.put_targets(endpoint, tx, vec![serde_json::from_value(target)?])?;
        Ok(rule)
    }

    fn scheduled(expression: &str) -> Settings {
        Settings { schedule_expression: Some(expression.to_owned()), ..Settings::default() }
    }

    /// What is on its way.
    fn events(tx: &Tx<'_>) -> Vec<Value> {
        let mut statement = tx.sql().prepare("SELECT event FROM event_delivery ORDER BY sequence").unwrap();
        let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        texts.map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
    }

    #[test]
    fn a_rate_keeps_its_beat_and_makes_up_for_nothing() {
        let (_dir, endpoint) = endpoint();
        let checked = endpoint.store.write(|tx| {
            let rule = rule(&endpoint, tx, "r", scheduled("rate(1 minute)"))?;
            let at = |seconds: i64| rule.since + TimeDelta::seconds(seconds);
            assert_eq!(fire(&endpoint, tx, at(-5), at(30))?, Some(at(60)));
            assert_eq!(events(tx).len(), 0);
            // A little late.
            assert_eq!(fire(&endpoint, tx, at(30), at(61))?, Some(at(120)));
            assert_eq!(fire(&endpoint, tx, at(61), at(62))?, Some(at(120)));
            // The machine slept.
            assert_eq!(fire(&endpoint, tx, at(62), at(1000))?, Some(at(1020)));
            let sent = events(tx);
            let times: Vec<&str> = sent.iter().map(|event| event["time"].as_str().unwrap()).collect();
            let text = |seconds: i64| at(seconds).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            assert_eq!(times, [text(60), text(120)]);
            assert_eq!(sent[0]["resources"], json!(["arn:aws:events:us-east-1:000000000000:rule/r"]));
            assert_eq!([&sent[0]["source"], &sent[0]["detail-type"]], ["aws.events", "Scheduled Event"]);
            assert_eq!(sent[0]["detail"], json!({}));
            Ok(())
        });
        checked.unwrap();
    }

    #[test]
    fn nothing_is_kept_while_no_rule_waits_for_events() {
        let (_dir, endpoint) = endpoint();
        let checked = endpoint.store.write(|tx| {
            let send = |tx: &Tx<'_>| outbox::put(tx, &endpoint, || Event::new("a", "t", Vec::new(), json!({})));
            let kept = |tx: &Tx<'_>| outbox::take(tx, BATCH).map(|events| events.len());
            rule(&endpoint, tx, "scheduled", scheduled("rate(1 minute)"))?;
            send(tx)?;
            assert_eq!(kept(tx)?, 0);
            let settings = Settings { event_pattern: Some(r#"{"source":["a"]}"#.into()), ..Settings::default() };
            rule(&endpoint, tx, "waits", settings.clone())?;
            for _ in 0..100 {
                send(tx)?;
            }
            assert_eq!([kept(tx)?, kept(tx)?, kept(tx)?], [64, 36, 0]);
            let state = super::super::rule::State::Disabled;
            rule(&endpoint, tx, "waits", Settings { state, ..settings })?;
            send(tx)?;
            assert_eq!(kept(tx)?, 0);
            Ok(())
        });
        checked.unwrap();
    }
}
