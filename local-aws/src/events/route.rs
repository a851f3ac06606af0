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
    let compiled = rules.filter_map(|rule| {
        let pattern = Pattern::compile(rule.settings.event_pattern.as_ref()?);
        Some(pattern.map(|pattern| (rule, pattern)))
    });
    let rules = compiled.collect::<Result<Vec<_>, _>>()?;
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
        let schedule = Schedule::parse(expression)?;
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
