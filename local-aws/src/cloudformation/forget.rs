//! Deleted stacks go after a while.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::params;

use super::drift::detection::Detection;
use super::stack::Stack;
use super::status::StackStatus;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// How long AWS shows a deleted stack.
const KEEP: TimeDelta = TimeDelta::days(90);

/// Deletes the records of stacks that were deleted long ago, with their events.
pub(super) fn forget(tx: &Tx<'_>, now: DateTime<Utc>) -> Result<(), ApiError> {
    for stack in tx.list::<Stack>()? {
        if stack.status == StackStatus::DeleteComplete && stack.deleted_at.is_some_and(|time| now - time > KEEP) {
            tx.sql().prepare_cached("DELETE FROM stack_event WHERE stack_id = ?")?.execute(params![stack.stack_id])?;
            for detection in tx.list::<Detection>()?.into_iter().filter(|it| it.stack_id == stack.stack_id) {
                tx.delete::<Detection>(&detection.id())?;
            }
            tx.delete::<Stack>(&stack.id())?;
        }
    }
    Ok(())
}
