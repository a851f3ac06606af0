//! Deletes resources: what others depend on after them, the rest at the same time.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::run::Run;
use super::step::handler;
use super::unrecorded::undo_pending;
use crate::cloudformation::resources;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::{Leftover, StackResource};
use crate::cloudformation::status::ResourceStatus;
use crate::error::ApiError;
use crate::latency::until;
use crate::store::{Record, Tx};

/// A resource that leaves its stack.
#[derive(Clone)]
pub(super) struct Item {
    record: StackResource,
    /// It was replaced: the logical resource goes on with another physical one.
    leftover: bool,
    /// It is left alone, by a policy or a request.
    keep: bool,
}

impl Item {
    pub(super) fn current(record: StackResource, keep: bool) -> Self {
        Self { record, leftover: false, keep }
    }

    pub(super) fn leftover(Leftover(record): Leftover, keep: bool) -> Self {
        Self { record, leftover: true, keep }
    }

    /// Whether the deletion was begun before, by an endpoint that was ended, and is to be waited for.
    fn is_going(&self, stack: &Stack) -> bool {
        let record = &self.record;
        (record.status, &record.operation_id) == (ResourceStatus::DeleteInProgress, &stack.operation.id)
            && record.ready_at.is_some()
    }

    /// Writes when AWS would be through with the deletion.
    fn take_time(&mut self, tx: &Tx<'_>, run: &Run, stack: &Stack) -> Result<(), ApiError> {
        let now = &self.record.now;
        let typical = resources::times(&self.record.resource_type, &now.properties).deletion();
        let ready_at = run.endpoint.latency.end_of(typical);
        let (Some(physical_id), Some(_)) = (&now.physical_id, ready_at) else { return Ok(()) };
        let cx = run.context(tx, stack, &self.record.logical_id, now);
        handler(&self.record.resource_type)?.begin_deletion(&cx, physical_id)?;
        self.record.ready_at = ready_at;
        self.put(tx)
    }

    /// Writes the record; what has been replaced has one of its own.
    fn put(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        if self.leftover { tx.put(&Leftover(self.record.clone())) } else { tx.put(&self.record) }
    }

    /// Writes the state.
    fn enter(
        &mut self,
        tx: &Tx<'_>,
        stack: &Stack,
        status: ResourceStatus,
        reason: Option<&str>,
    ) -> Result<(), ApiError> {
        self.record.mark(stack, status, reason);
        let properties = self.record.now.properties.clone();
        if self.leftover && status.is_gone() {
            tx.delete::<Leftover>(&Leftover(self.record.clone()).id())?;
        } else {
            self.put(tx)?;
        }
        self.record.tell(tx, stack, status, reason, &properties)
    }
}

/// Replaced resources of a stack that are still to be deleted.
pub(super) fn leftovers(tx: &Tx<'_>, stack_id: &str) -> Result<Vec<Leftover>, ApiError> {
    tx.list_prefix(&format!("{stack_id}/"))
}

/// Deletes the items; gives the logical ids of those that could not be. What a failed one depends on stays, unless
/// `force` says to go on.
pub(super) async fn remove(run: &Run, stack: &Stack, items: Vec<Item>, force: bool) -> Result<Vec<String>, ApiError> {
    let mut waiting: Vec<Item> = items;
    let mut blocking: Vec<Item> = Vec::new();
    let mut failed = BTreeSet::new();
    let mut running: JoinSet<Result<Item, ApiError>> = JoinSet::new();
    loop {
        let (ready, rest): (Vec<Item>, Vec<Item>) = waiting.iter().cloned().partition(|item| {
            !waiting.iter().chain(&blocking).any(|other| other.record.now.depends_on.contains(&item.record.logical_id))
        });
        waiting = rest;
        let mut ready = ready;
        // Old and new resources together can depend on one another in a circle.
        if ready.is_empty() && running.is_empty() && failed.is_empty() {
            ready = std::mem::take(&mut waiting);
        }
        begin(run, stack, &mut ready)?;
        for item in ready {
            blocking.push(item.clone());
            let (run, stack) = (run.clone(), stack.clone());
            running.spawn(async move {
                if let Some(time) = item.record.ready_at.filter(|_| !item.keep) {
                    tokio::time::sleep(until(time)).await;
                }
                delete(&run, &stack, item)
            });
        }
        let Some(item) = running.join_next().await else { return Ok(failed.into_iter().collect()) };
        let item = item.map_err(|error| ApiError::internal(format!("A deletion was cut short: {error}")))??;
        let has_failed = item.record.status == ResourceStatus::DeleteFailed;
        if has_failed {
            failed.insert(item.record.logical_id.clone());
        }
        if !has_failed || force {
            blocking.retain(|other| {
                (&other.record.logical_id, other.leftover, other.record.now.generation)
                    != (&item.record.logical_id, item.leftover, item.record.now.generation)
            });
        }
    }
}

fn begin(run: &Run, stack: &Stack, items: &mut [Item]) -> Result<(), ApiError> {
    if items.is_empty() {
        return Ok(());
    }
    run.endpoint.store.write(|tx| {
        for item in items.iter_mut().filter(|item| !item.keep && item.record.now.physical_id.is_some()) {
            if item.is_going(stack) {
                continue;
            }
            item.enter(tx, stack, ResourceStatus::DeleteInProgress, None)?;
            item.take_time(tx, run, stack)?;
        }
        Ok(())
    })
}

fn delete(run: &Run, stack: &Stack, mut item: Item) -> Result<Item, ApiError> {
    undo_pending(run, stack, &item.record)?;
    item.record.pending = None;
    let deleted = run.endpoint.store.write(|tx| {
        let record = item.record.clone();
        let status = match &record.now.physical_id {
            Some(_) if item.keep => ResourceStatus::DeleteSkipped,
            Some(physical_id) => {
                let cx = run.context(tx, stack, &record.logical_id, &record.now);
                handler(&record.resource_type)?.delete(&cx, physical_id, &record.now.properties)?;
                ResourceStatus::DeleteComplete
            }
            None => ResourceStatus::DeleteComplete,
        };
        item.enter(tx, stack, status, None)
    });
    match deleted {
        Ok(()) if !item.keep => handler(&item.record.resource_type)?.clean_up(&run.endpoint),
        Ok(()) => {}
        Err(error) => {
            run.endpoint.store.write(|tx| item.enter(tx, stack, ResourceStatus::DeleteFailed, Some(&error.message)))?;
        }
    }
    Ok(item)
}
