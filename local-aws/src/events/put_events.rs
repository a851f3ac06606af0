//! PutEvents, and TestEventPattern.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bus;
use super::pattern::Pattern;
use super::refusal::{check_length, constraint, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::outbox::{self, Event};

const MAX_ENTRIES: usize = 10;

/// Bytes of all entries.
const MAX_BYTES: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Entry {
    /// Seconds since 1970.
    time: Option<f64>,
    source: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
}

/// Why an entry is no event.
struct Refusal(&'static str, String);

pub(super) fn put_events(endpoint: &Endpoint, input: &PutEvents) -> Result<Value, ApiError> {
    let count = input.entries.len();
    if count == 0 || count > MAX_ENTRIES {
        let rule = if count == 0 { "greater than or equal to 1" } else { "less than or equal to 10" };
        return Err(constraint("entries", format_args!("a list of {count}"), &format!("have length {rule}")));
    }
    if input.entries.iter().map(Entry::size).sum::<usize>() > MAX_BYTES {
        return Err(invalid("Total size of the entries in the request is over the limit."));
    }
    let events: Vec<Result<Event, Refusal>> = input.entries.iter().map(|entry| entry.event(endpoint)).collect();
    endpoint
        .store
        .write(|tx| events.iter().flatten().try_for_each(|event| outbox::put(tx, endpoint, || event.clone())))?;
    let failed = events.iter().filter(|event| event.is_err()).count();
    let entries: Value = events
        .iter()
        .map(|event| match event {
            Ok(event) => json!({"EventId": event.id}),
            Err(Refusal(code, message)) => json!({"ErrorCode": code, "ErrorMessage": message}),
        })
        .collect();
    Ok(json!({"FailedEntryCount": failed, "Entries": entries}))
}

impl Entry {
    /// As AWS counts: a time is 14 bytes.
    fn size(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail].into_iter().flatten().chain(&self.resources);
        texts.map(String::len).sum::<usize>() + if self.time.is_some() { 14 } else { 0 }
    }

    fn event(&self, endpoint: &Endpoint) -> Result<Event, Refusal> {
        let source = required("Source", self.source.as_ref())?;
        let detail_type = required("DetailType", self.detail_type.as_ref())?;
        let detail = required("Detail", self.detail.as_ref())?;
        if source.starts_with("aws.") {
            return Err(Refusal("NotAuthorizedForSourceException", "Not authorized for the source.".to_owned()));
        }
        bus::check(endpoint, self.event_bus_name.as_deref())
            .map_err(|error| Refusal("ResourceNotFoundException", error.message))?;
        let malformed = || Refusal("MalformedDetail", "Detail is malformed.".to_owned());
        let detail: Value = serde_json::from_str(detail).ok().filter(Value::is_object).ok_or_else(malformed)?;
        let event = Event::new(source, detail_type, self.resources.clone(), detail);
        Ok(Event { time: self.time()?.unwrap_or(event.time), ..event })
    }

    fn time(&self) -> Result<Option<DateTime<Utc>>, Refusal> {
        let wrong = || Refusal("InvalidArgument", "Parameter Time is not valid.".to_owned());
        self.time.map(|time| DateTime::from_timestamp_millis((time * 1000.0) as i64).ok_or_else(wrong)).transpose()
    }
}

fn required<'a>(member: &str, text: Option<&'a String>) -> Result<&'a str, Refusal> {
    text.filter(|text| !text.is_empty()).map(String::as_str).ok_or_else(|| {
        let message = format!("Parameter {member} is not valid. Reason: {member} is a required argument.");
        Refusal("InvalidArgument", message)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct TestEventPattern {
    event_pattern: String,
    event: String,
}

pub(super) fn test_event_pattern(input: &TestEventPattern) -> Result<Value, ApiError> {
    check_length("eventPattern", Some(&input.event_pattern), 4096)?;
    let pattern = Pattern::compile(&input.event_pattern)?;
    Ok(json!({"Result": pattern.test(&input.event)?}))
}
