//! FilterLogEvents: a group's events by stream, time and text.

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::{Position, Scan, Streams};
use super::page::limit;
use super::pattern::Pattern;
use super::refusal::{bad_token, constraint, invalid};
use super::{group, stream};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// Events that one call looks at. A rare pattern gives empty pages with a token, as on AWS.
const MAX_SCANNED: usize = 10_000;

/// 2024-01-01: AWS reads backwards only from here on.
const NEWEST_FIRST_SINCE: i64 = 1_704_067_200_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct FilterLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    /// Inclusive.
    start_time: Option<i64>,
    /// Inclusive.
    end_time: Option<i64>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
    // Streams are always interleaved since 2019, whatever is asked.
    #[serde(rename = "interleaved")]
    _interleaved: Option<bool>,
    // Shows what a data protection policy masks; there are none here, so nothing is masked.
    #[serde(rename = "unmask")]
    _unmask: Option<bool>,
}

pub(super) fn filter_log_events(endpoint: &Endpoint, input: FilterLogEvents) -> Result<Value, ApiError> {
    let limit = limit(input.limit, 10_000)?;
    let pattern = Pattern::parse(&input.filter_pattern)?;
    let streams = streams(&input)?;
    let (newest_first, position) = direction(&input)?;
    let mut after = Position::before(input.start_time.unwrap_or(0));
    let mut before = Position::after(input.end_time.unwrap_or(i64::MAX));
    match position {
        Some(position) if newest_first => before = before.min(position),
        Some(position) => after = after.max(position),
        None => {}
    }
    let page = endpoint.store.write(|tx| {
        let group = group::named(tx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        must_exist(tx, &group.name, &streams)?;
        group::delete_expired(tx, &group, Utc::now())?;
        let scan = Scan { group: &group.name, streams: &streams, after, before, newest_first };
        scan.page(tx, limit, MAX_SCANNED, |message| pattern.matches(message))
    })?;
    let events: Vec<Value> = page
        .events
        .into_iter()
        .map(|event| {
            json!({
                "eventId": event.at.digits(), "logStreamName": event.stream, "timestamp": event.at.timestamp,
                "ingestionTime": event.ingestion_time, "message": event.message,
            })
        })
        .collect();
    // AWS leaves the list of searched streams empty since 2020.
    let mut output = json!({"events": events, "searchedLogStreams": []});
    if let Some(position) = page.rest_after {
        let mark = if newest_first { 'd' } else { 'a' };
        output["nextToken"] = json!(format!("{mark}{}", position.digits()));
    }
    Ok(output)
}

/// The streams that are asked for.
fn streams(input: &FilterLogEvents) -> Result<Streams, ApiError> {
    match (&input.log_stream_names, &input.log_stream_name_prefix) {
        (Some(_), Some(_)) => {
            Err(invalid("LogStream name and LogStream name prefix are mutually exclusive parameters."))
        }
        (Some(names), None) => match &names[..] {
            [] => Err(constraint("logStreamNames", "[]", "have length greater than or equal to 1")),
            [name] => Ok(Streams::One(name.clone())),
            names if names.len() > 100 => Err(constraint(
                "logStreamNames",
                format!("{} names", names.len()),
                "have length less than or equal to 100",
            )),
            names => Ok(Streams::Several(names.to_vec())),
        },
        (None, Some(prefix)) => Ok(Streams::Prefix(prefix.clone())),
        (None, None) => Ok(Streams::All),
    }
}

fn must_exist(tx: &Tx<'_>, group: &str, streams: &Streams) -> Result<(), ApiError> {
    let names = match streams {
        Streams::One(name) => std::slice::from_ref(name),
        Streams::Several(names) => names,
        Streams::All | Streams::Prefix(_) => &[],
    };
    names.iter().try_for_each(|name| stream::find(tx, group, name).map(drop))
}

/// Which way to read, and from where; the direction of a token is the one of the request that it came from.
fn direction(input: &FilterLogEvents) -> Result<(bool, Option<Position>), ApiError> {
    if let Some(token) = &input.next_token {
        let (newest_first, digits) = match token.split_at_checked(1) {
            Some(("a", digits)) => (false, digits),
            Some(("d", digits)) => (true, digits),
            _ => return Err(bad_token()),
        };
        return Ok((newest_first, Some(Position::parse(digits).ok_or_else(bad_token)?)));
    }
    let newest_first = input.start_from_head == Some(false);
    if newest_first && input.start_time.is_some_and(|start| start < NEWEST_FIRST_SINCE) {
        return Err(invalid(
            "Setting startFromHead to false is supported only when startTime is on or after Jan 1, 2024 00:00:00 UTC.",
        ));
    }
    Ok((newest_first, None))
}
