//! What goes into a stream: by requests, and by the services that write logs.

use chrono::{DateTime, Utc};
use rusqlite::params;

use super::event::EVENT_OVERHEAD;
use super::stream::LogStream;
use super::{group, stream};
use crate::error::ApiError;
use crate::store::Tx;

/// Most events of a row: one page of GetLogEvents, for which the whole row is read.
const MAX_ROW: usize = 10_000;

/// Makes the stream unless it is there. The group must exist (ResourceNotFoundException).
pub(crate) fn ensure_stream(tx: &Tx<'_>, group: &str, stream: &str) -> Result<(), ApiError> {
    group::find(tx, group)?;
    if stream::get(tx, group, stream)?.is_none() {
        stream::create(tx, group, stream)?;
    }
    Ok(())
}

/// Appends messages of one time to a stream that is there, in the caller's transaction. None may be empty: CloudWatch Logs
/// has no empty events.
pub(crate) fn append(
    tx: &Tx<'_>,
    group: &str,
    stream_name: &str,
    now: DateTime<Utc>,
    messages: &[&str],
) -> Result<(), ApiError> {
    let group = group::find(tx, group)?;
    group::delete_expired(tx, &group, now)?;
    let stream = stream::find(tx, &group.name, stream_name)?;
    for messages in messages.chunks(MAX_ROW) {
        write_row(tx, &stream, now.timestamp_millis(), now, messages)?;
    }
    note_ingestion(tx, stream, now)
}

/// Writes events to a stream that is there, those of one time that follow one another as one row.
pub(super) fn store<'a>(
    tx: &Tx<'_>,
    group: &str,
    stream_name: &str,
    events: impl Iterator<Item = (i64, &'a str)>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let stream = stream::find(tx, group, stream_name)?;
    let events: Vec<_> = events.collect();
    for events in events.chunk_by(|(at, _), (next, _)| at == next).flat_map(|same| same.chunks(MAX_ROW)) {
        let messages: Vec<&str> = events.iter().map(|(_, message)| *message).collect();
        write_row(tx, &stream, events.first().map_or(0, |(at, _)| *at), now, &messages)?;
    }
    if events.is_empty() { Ok(()) } else { note_ingestion(tx, stream, now) }
}

fn write_row(
    tx: &Tx<'_>,
    stream: &LogStream,
    timestamp: i64,
    now: DateTime<Utc>,
    messages: &[&str],
) -> Result<(), ApiError> {
    let bytes: usize = messages.iter().map(|message| message.len() + EVENT_OVERHEAD).sum();
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO log_event (log_group, log_stream, timestamp, ingestion_time, messages, bytes)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let messages = serde_json::to_string(messages)?;
    insert.execute(params![stream.group, stream.name, timestamp, now.timestamp_millis(), messages, bytes])?;
    Ok(())
}

fn note_ingestion(tx: &Tx<'_>, stream: LogStream, now: DateTime<Utc>) -> Result<(), ApiError> {
    tx.put(&LogStream { last_ingested_at: Some(now), ..stream })
}
