//! A delivery: an event on its way to a target, until the target has it or nobody is to try again.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, params};

use super::rule::Rule;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::latency::Deliveries;
use crate::store::Tx;

pub(super) struct Delivery {
    pub(super) sequence: i64,
    /// Name of the rule.
    pub(super) rule: String,
    /// Id of the target.
    pub(super) target: String,
    /// As text of JSON.
    pub(super) event: String,
    pub(super) accepted_at: DateTime<Utc>,
    /// How often it was tried in vain.
    pub(super) attempts: u32,
    /// How often the target is to get it.
    copies: u32,
}

/// Sends `event` to each target of the rule.
pub(super) fn put(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    rule: &Rule,
    event: &str,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    for target in &rule.targets {
        tx.sql()
            .prepare_cached(
                "INSERT INTO event_delivery (rule, target, event, accepted_at, due_at, attempts, copies)
                 VALUES (?1, ?2, ?3, ?4, ?4, 0, 1)",
            )?
            .execute(params![rule.name, target.id, event, now.timestamp_millis()])?;
        let sequence = tx.sql().last_insert_rowid();
        let knobs = &endpoint.deliveries;
        if *knobs != Deliveries::default() {
            tx.sql()
                .prepare_cached("UPDATE event_delivery SET due_at = due_at + ?, copies = ? WHERE sequence = ?")?
                .execute(params![knobs.wait(sequence, 0), knobs.copies(sequence), sequence])?;
        }
    }
    Ok(())
}

/// The first one that is due; when none is, the time of the next.
pub(super) fn next(tx: &Tx<'_>, now: DateTime<Utc>) -> Result<Result<Delivery, Option<DateTime<Utc>>>, ApiError> {
    let read = |row: &rusqlite::Row<'_>| {
        let time = |milliseconds: i64| DateTime::from_timestamp_millis(milliseconds).unwrap_or(now);
        let delivery = Delivery {
            sequence: row.get(0)?,
            rule: row.get(1)?,
            target: row.get(2)?,
            event: row.get(3)?,
            accepted_at: time(row.get(4)?),
            attempts: row.get(6)?,
            copies: row.get(7)?,
        };
        Ok((delivery, time(row.get(5)?)))
    };
    let first = tx
        .sql()
        .prepare_cached(
            "SELECT sequence, rule, target, event, accepted_at, due_at, attempts, copies FROM event_delivery
             ORDER BY due_at, sequence LIMIT 1",
        )?
        .query_row([], read)
        .optional()?;
    Ok(match first {
        Some((delivery, due_at)) if due_at <= now => Ok(delivery),
        Some((_, due_at)) => Err(Some(due_at)),
        None => Err(None),
    })
}

impl Delivery {
    #[cfg(test)]
    pub(super) fn of_age(now: DateTime<Utc>, age: TimeDelta, attempts: u32) -> Self {
        let (rule, target, event) = ("r".to_owned(), "t".to_owned(), "{}".to_owned());
        Self { sequence: 1, rule, target, event, accepted_at: now - age, attempts, copies: 1 }
    }

    /// The target has it. It is over unless it is to be delivered again.
    pub(super) fn done(&self, endpoint: &Endpoint, tx: &Tx<'_>, now: DateTime<Utc>) -> Result<(), ApiError> {
        if self.copies <= 1 {
            return self.drop(tx);
        }
        let due_at = now.timestamp_millis() + endpoint.deliveries.wait(self.sequence, self.copies);
        tx.sql()
            .prepare_cached("UPDATE event_delivery SET copies = copies - 1, due_at = ? WHERE sequence = ?")?
            .execute(params![due_at, self.sequence])?;
        Ok(())
    }

    /// Nobody is to try again.
    pub(super) fn drop(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        tx.sql().prepare_cached("DELETE FROM event_delivery WHERE sequence = ?")?.execute(params![self.sequence])?;
        Ok(())
    }

    /// It was tried in vain, and is tried again after `pause`.
    pub(super) fn put_off(&self, tx: &Tx<'_>, now: DateTime<Utc>, pause: TimeDelta) -> Result<(), ApiError> {
        tx.sql()
            .prepare_cached("UPDATE event_delivery SET attempts = attempts + 1, due_at = ? WHERE sequence = ?")?
            .execute(params![(now + pause).timestamp_millis(), self.sequence])?;
        Ok(())
    }
}
