//! The calls for log streams.

use chrono::Utc;
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::group;
use super::page::limit;
use super::refusal::{bad_token, invalid};
use super::stream::{LogStream, create, get, id, not_found};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::paging::page;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NamedStream {
    log_group_name: String,
    log_stream_name: String,
}

pub(super) fn create_log_stream(endpoint: &Endpoint, input: NamedStream) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let group = group::named(tx, Some(&input.log_group_name), None)?;
        if get(tx, &group.name, &input.log_stream_name)?.is_some() {
            return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
        }
        create(tx, &group.name, &input.log_stream_name)
    })?;
    Ok(json!({}))
}

pub(super) fn delete_log_stream(endpoint: &Endpoint, input: NamedStream) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let group = group::named(tx, Some(&input.log_group_name), None)?;
        if !tx.delete::<LogStream>(&id(&group.name, &input.log_stream_name))? {
            return Err(not_found());
        }
        tx.sql()
            .prepare_cached("DELETE FROM log_event WHERE log_group = ? AND log_stream = ?")?
            .execute(params![group.name, input.log_stream_name])?;
        Ok(())
    })?;
    Ok(json!({}))
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
enum OrderBy {
    LogStreamName,
    LastEventTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DescribeLogStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<OrderBy>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<i64>,
}

/// When a stream's first and last event happened.
type Span = (Option<i64>, Option<i64>);

pub(super) fn describe_log_streams(endpoint: &Endpoint, input: DescribeLogStreams) -> Result<Value, ApiError> {
    let order_by = input.order_by.unwrap_or(OrderBy::LogStreamName);
    if order_by == OrderBy::LastEventTime && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let limit = limit(input.limit, 50)?;
    // This call has a code and words of its own for it.
    if input.log_group_name.is_some() && input.log_group_identifier.is_some() {
        let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
        return Err(ApiError::new("ValidationException", message));
    }
    endpoint.store.write(|tx| {
        let group = group::named(tx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        group::delete_expired(tx, &group, Utc::now())?;
        let prefix = id(&group.name, input.log_stream_name_prefix.as_deref().unwrap_or_default());
        let mut streams = Vec::new();
        for stream in tx.list_prefix::<LogStream>(&prefix)? {
            let span = span(tx, &stream)?;
            streams.push((stream, span));
        }
        // Streams without events come before all others.
        let key = |(stream, (_, last)): &(LogStream, Span)| match order_by {
            OrderBy::LogStreamName => (None, stream.name.clone()),
            OrderBy::LastEventTime => (*last, stream.name.clone()),
        };
        streams.sort_by_cached_key(key);
        if input.descending {
            streams.reverse();
        }
        let (streams, token) = page(streams, key, input.descending, input.next_token.as_deref(), limit, bad_token)?;
        let streams: Vec<Value> = streams.iter().map(|(stream, span)| describe(&group.arn, stream, *span)).collect();
        let mut output = json!({"logStreams": streams});
        if let Some(token) = token {
            output["nextToken"] = json!(token);
        }
        Ok(output)
    })
}

fn span(tx: &Tx<'_>, stream: &LogStream) -> Result<Span, ApiError> {
    // Two subqueries, each one look into the index; MIN and MAX in one SELECT would read the whole stream.
    let span = tx
        .sql()
        .prepare_cached(
            "SELECT (SELECT MIN(timestamp) FROM log_event WHERE log_group = ?1 AND log_stream = ?2),
                    (SELECT MAX(timestamp) FROM log_event WHERE log_group = ?1 AND log_stream = ?2)",
        )?
        .query_row(params![stream.group, stream.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(span)
}

fn describe(group_arn: &str, stream: &LogStream, (first, last): Span) -> Value {
    let mut description = json!({
        "logStreamName": stream.name,
        "creationTime": stream.created_at.timestamp_millis(),
        "arn": format!("{group_arn}:log-stream:{}", stream.name),
        // AWS reports no size for streams since 2019: the member is there and always 0.
        "storedBytes": 0,
    });
    if let (Some(first), Some(last)) = (first, last) {
        description["firstEventTimestamp"] = json!(first);
        description["lastEventTimestamp"] = json!(last);
    }
    if let Some(at) = stream.last_ingested_at {
        description["lastIngestionTime"] = json!(at.timestamp_millis());
    }
    description
}
