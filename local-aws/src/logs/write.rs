//! What goes into a stream: by requests, and by the services that write logs.

use chrono::{DateTime, Utc};
use rusqlite::params;

use super::event::EVENT_OVERHEAD;
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

/// Appends events (epoch milliseconds, message) to a stream that is there, in the caller's transaction.
///
/// Empty messages are left out, as Docker's `awslogs` driver does: CloudWatch Logs has no empty events.
pub(crate) fn append(tx: &Tx<'_>, group: &str, stream: &str, events: &[(i64, String)]) -> Result<(), ApiError> {
    let now = Utc::now();
    let group = group::find(tx, group)?;
    group::delete_expired(tx, &group, now)?;
    let events = events.iter().filter(|(_, message)| !message.is_empty());
    store(tx, &group.name, stream, events.map(|(at, message)| (*at, message.as_str())), now)
}

/// Writes events to a stream that is there, those of one time that follow one another as one row.
pub(super) fn store<'a>(
    tx: &Tx<'_>,
    group: &str,
    stream_name: &str,
    events: impl Iterator<Item = (i64, &'a str)>,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let mut stream = stream::find(tx, group, stream_name)?;
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO log_event (log_group, log_stream, timestamp, ingestion_time, messages, bytes)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let events: Vec<_> = events.collect();
    for events in events.chunk_by(|(at, _), (next, _)| at == next).flat_map(|same| same.chunks(MAX_ROW)) {
        let messages: Vec<&str> = events.iter().map(|(_, message)| *message).collect();
        let bytes: usize = messages.iter().map(|message| message.len() + EVENT_OVERHEAD).sum();
        let (timestamp, ingested) = (events.first().map(|(at, _)| at), now.timestamp_millis());
        insert.execute(params![
            group,
            stream_name,
            timestamp,
            ingested,
            serde_json::to_string(&messages)?,
            i64::try_from(bytes).unwrap_or(i64::MAX)
        ])?;
    }
    if !events.is_empty() {
        stream.last_ingested_at = Some(now);
        tx.put(&stream)?;
    }
    Ok(())
}
