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

/// Which change set of a stack bears a name.
#[derive(Serialize, Deserialize)]
struct SetName {
    stack_id: String,
    name: String,
    change_set_id: String,
}

impl Record for SetName {
    const KIND: &'static str = "cloudformation.change_set_name";
    fn id(&self) -> String {
        format!("{}/{}", self.stack_id, self.name)
    }
}

impl ChangeSet {
    fn name(&self) -> SetName {
        SetName { stack_id: self.stack_id.clone(), name: self.name.clone(), change_set_id: self.change_set_id.clone() }
    }

    /// Writes the change set, and its name.
    fn save(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        tx.put(&self.name())?;
        tx.put(self)
    }

    /// Deletes both.
    fn delete(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        tx.delete::<SetName>(&self.name().id())?;
        tx.delete::<Self>(&self.change_set_id).map(|_| ())
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
    named(tx, &stack.stack_id, name_or_id)?.ok_or_else(not_found)
}

/// A stack's change set of this name.
fn named(tx: &Tx<'_>, stack_id: &str, name: &str) -> Result<Option<ChangeSet>, ApiError> {
    match tx.get::<SetName>(&format!("{stack_id}/{name}"))? {
        Some(named) => tx.get(&named.change_set_id),
        None => Ok(None),
    }
}

/// A stack's change sets, oldest first.
fn of_stack(tx: &Tx<'_>, stack_id: &str) -> Result<Vec<ChangeSet>, ApiError> {
    let names = tx.list_prefix::<SetName>(&format!("{stack_id}/"))?;
    let sets = names.iter().map(|named| tx.get(&named.change_set_id)).collect::<Result<Vec<Option<ChangeSet>>, _>>()?;
    let mut sets: Vec<_> = sets.into_iter().flatten().collect();
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
        set.delete(tx)?;
    }
    Ok(())
}
