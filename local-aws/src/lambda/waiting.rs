//! Events in the store that wait for their function.

use std::collections::HashSet;
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};

use super::function::Function;
use super::request::Request;
use crate::error::ApiError;
use crate::store::Tx;

/// An event in the store.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) request: Request,
    pub(super) function: String,
    pub(super) accepted_at: DateTime<Utc>,
    /// How often the function has failed to handle it.
    pub(super) attempts: u32,
    /// How often there was no room.
    pub(super) throttles: u32,
}

/// Puts an event into the store.
pub(super) fn put(tx: &Tx<'_>, function: &Function, request: &Request) -> Result<(), ApiError> {
    let now = Utc::now().timestamp_millis();
    let due = function.ready_at.map_or(now, |time| time.timestamp_millis().max(now));
    tx.sql()
        .prepare_cached(
            "INSERT INTO invocation (id, function, payload, client_context, accepted_at, attempts, throttles, due)
             VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
        )?
        .execute(params![request.id, function.name, &*request.payload, request.client_context, now, due])?;
    Ok(())
}

/// The first events that are due and not under way.
pub(super) fn due(
    tx: &Tx<'_>,
    now: DateTime<Utc>,
    busy: &HashSet<String>,
    most: usize,
) -> Result<Vec<Waiting>, ApiError> {
    let mut statement = tx.sql().prepare_cached(
        "SELECT id, function, payload, client_context, accepted_at, attempts, throttles
         FROM invocation WHERE due <= ? ORDER BY due, sequence",
    )?;
    let rows = statement.query_map(params![now.timestamp_millis()], read)?;
    let rows = rows.filter(|row| row.as_ref().is_ok_and(|row| !busy.contains(&row.request.id)) || row.is_err());
    Ok(rows.take(most).collect::<Result<_, _>>()?)
}

/// When the first event is due that is not under way.
pub(super) fn next_due(tx: &Tx<'_>, busy: &HashSet<String>) -> Result<Option<DateTime<Utc>>, ApiError> {
    let mut statement = tx.sql().prepare_cached("SELECT id, due FROM invocation ORDER BY due, sequence")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if !busy.contains(&row.get::<_, String>(0)?) {
            return Ok(DateTime::from_timestamp_millis(row.get(1)?));
        }
    }
    Ok(None)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        request: Request {
            id: row.get(0)?,
            payload: Bytes::from(row.get::<_, Vec<u8>>(2)?),
            client_context: row.get(3)?,
        },
        function: row.get(1)?,
        accepted_at: DateTime::from_timestamp_millis(row.get(4)?).unwrap_or_default(),
        attempts: row.get(5)?,
        throttles: row.get(6)?,
    })
}

/// Lets an event wait for so long from now on.
pub(super) fn put_off(tx: &Tx<'_>, waiting: &Waiting, wait: Duration) -> Result<(), ApiError> {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    let due = Utc::now().timestamp_millis().saturating_add(wait);
    tx.sql()
        .prepare_cached("UPDATE invocation SET attempts = ?, throttles = ?, due = ? WHERE id = ?")?
        .execute(params![waiting.attempts, waiting.throttles, due, waiting.request.id])?;
    Ok(())
}

/// Takes an event out of the store; whether it was there.
pub(super) fn delete(tx: &Tx<'_>, id: &str) -> Result<bool, ApiError> {
    let found = tx
        .sql()
        .prepare_cached("DELETE FROM invocation WHERE id = ? RETURNING 1")?
        .query_row(params![id], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(found.is_some())
}
