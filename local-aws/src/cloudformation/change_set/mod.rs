//! Change sets: an update that is shown first and done on request.
//!
//! # Layout
//! - this file: the record
//! - `create`: CreateChangeSet; `changes`: what it shows, `drift`: of resources that somebody has changed
//! - `execute`: ExecuteChangeSet
//! - `calls`: describe, list, delete

pub(super) mod calls;
mod changes;
pub(super) mod create;
mod drift;
pub(super) mod execute;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::drift::found::Drift;
use super::refusal::invalid;
use super::stack::{OnFailure, Stack, Target};
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A change set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChangeSet {
    pub(super) change_set_id: String,
    pub(super) name: String,
    pub(super) stack_id: String,
    pub(super) stack_name: String,
    /// The operation that made it, by which its events are found.
    #[serde(default)]
    pub(super) operation_id: String,
    pub(super) description: Option<String>,
    /// `CREATE_COMPLETE` or `FAILED`.
    pub(super) status: String,
    pub(super) status_reason: Option<String>,
    /// `UNAVAILABLE`, `AVAILABLE`, `EXECUTE_COMPLETE`, `EXECUTE_FAILED` or `OBSOLETE`.
    pub(super) execution_status: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) on_stack_failure: Option<OnFailure>,
    pub(super) token: Option<String>,
    pub(super) target: Target,
    /// With the values of properties, which are shown on request only.
    pub(super) changes: Vec<Value>,
    /// Of one that reverts drift: the resources as they were found when it was made.
    #[serde(default)]
    pub(super) found: Option<BTreeMap<String, Drift>>,
}

impl Record for ChangeSet {
    const KIND: &'static str = "cloudformation.change_set";
    fn id(&self) -> String {
        self.change_set_id.clone()
    }
}

/// The change set of this id, or of this name in this stack.
pub(super) fn find(tx: &Tx<'_>, name_or_id: &str, stack: Option<&str>) -> Result<ChangeSet, ApiError> {
    let not_found =
        || ApiError::new("ChangeSetNotFound", format!("ChangeSet [{name_or_id}] does not exist")).status(404);
    if name_or_id.starts_with("arn:") {
        return tx.get(name_or_id)?.ok_or_else(not_found);
    }
    let Some(stack) = stack else {
        return Err(invalid("StackName must be specified if ChangeSetName is not specified as an ARN."));
    };
    let stack = Stack::find(tx, stack)?.ok_or_else(|| invalid(format!("Stack [{stack}] does not exist")))?;
    of_stack(tx, &stack.stack_id)?.into_iter().find(|it| it.name == name_or_id).ok_or_else(not_found)
}

/// A stack's change sets, oldest first.
fn of_stack(tx: &Tx<'_>, stack_id: &str) -> Result<Vec<ChangeSet>, ApiError> {
    let mut sets = tx.list::<ChangeSet>()?;
    sets.retain(|set| set.stack_id == stack_id);
    sets.sort_by_key(|set| (set.created_at, set.change_set_id.clone()));
    Ok(sets)
}

/// The stack was updated in another way: what the change sets show is no longer true.
pub(super) fn make_obsolete(tx: &Tx<'_>, stack_id: &str) -> Result<(), ApiError> {
    for mut set in of_stack(tx, stack_id)?.into_iter().filter(|set| set.execution_status == "AVAILABLE") {
        set.execution_status = "OBSOLETE".to_owned();
        tx.put(&set)?;
    }
    Ok(())
}

/// The stack is gone, and its change sets with it.
pub(super) fn delete_all(tx: &Tx<'_>, stack_id: &str) -> Result<(), ApiError> {
    for set in of_stack(tx, stack_id)? {
        tx.delete::<ChangeSet>(&set.change_set_id)?;
    }
    Ok(())
}
