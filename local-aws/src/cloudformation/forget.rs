//! Deleted stacks go after a while, and templates that nothing is made of.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::params;

use super::drift::detection::Detection;
use super::stack::Stack;
use super::stack_resource::StackResource;
use super::status::StackStatus;
use super::template_text;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// How long AWS shows a deleted stack.
const KEEP: TimeDelta = TimeDelta::days(90);

/// Deletes the records of stacks that were deleted long ago, with their resources, events and detections, and the
/// texts of templates that nothing is made of.
pub(super) fn forget(tx: &Tx<'_>, now: DateTime<Utc>) -> Result<(), ApiError> {
    let mut old = Vec::new();
    tx.each(|stack: Stack| {
        if stack.status == StackStatus::DeleteComplete && stack.deleted_at.is_some_and(|time| now - time > KEEP) {
            old.push(stack.stack_id);
        }
    })?;
    for stack_id in old {
        tx.sql().prepare_cached("DELETE FROM stack_event WHERE stack_id = ?")?.execute(params![stack_id])?;
        for detection in tx.list::<Detection>()?.into_iter().filter(|it| it.stack_id == stack_id) {
            tx.delete::<Detection>(&detection.id())?;
        }
        for resource in StackResource::all(tx, &stack_id)?.into_values() {
            tx.delete::<StackResource>(&resource.id())?;
        }
        tx.delete::<Stack>(&stack_id)?;
    }
    template_text::forget(tx)
}
