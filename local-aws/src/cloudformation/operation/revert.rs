//! Takes the changes of a failed update back, resource by resource, in the order of their dependencies.

use super::run::{Run, failed_to};
use super::step::{foreign_tags, handler};
use super::unrecorded::undo_pending;
use crate::cloudformation::compiled::Compiled;
use crate::cloudformation::resources::Context;
use crate::cloudformation::stack::{Stack, Target};
use crate::cloudformation::stack_resource::{ActualState, Leftover, StackResource};
use crate::cloudformation::status::{ResourceStatus, StackStatus};
use crate::cloudformation::template_text::TemplateText;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// The phase UPDATE_ROLLBACK_IN_PROGRESS.
pub(super) fn revert(run: &Run, stack: &Stack) -> Result<Stack, ApiError> {
    let records = run.endpoint.store.read(|tx| StackResource::all(tx, &stack.stack_id))?;
    let mut pending: Vec<StackResource> = records.into_values().filter(|it| it.before.is_some()).collect();
    let mut failed = Vec::new();
    while !pending.is_empty() {
        let next =
            pending.iter().position(|it| !pending.iter().any(|other| needs(it, &other.logical_id))).unwrap_or_default();
        let record = pending.swap_remove(next);
        let is_back = record.status == ResourceStatus::UpdateComplete && record.before.as_deref() == Some(&record.now);
        if is_back {
            continue;
        }
        if !revert_one(run, stack, &record)? {
            failed.push(record.logical_id);
        }
    }
    run.end_phase(stack.status, |tx, stack| {
        if !failed.is_empty() {
            return stack.enter(tx, StackStatus::UpdateRollbackFailed, failed_to("update", &failed));
        }
        if let Some(stable) = stack.stable.clone() {
            redeclare(tx, run, stack, &stable)?;
            stack.target = stable;
        }
        stack.enter(tx, StackStatus::UpdateRollbackCompleteCleanupInProgress, None)
    })
}

/// Resources that the update has kept got the new template's policies and dependencies; they get the old ones back.
fn redeclare(tx: &Tx<'_>, run: &Run, stack: &Stack, stable: &Target) -> Result<(), ApiError> {
    let compiled = Compiled::of(&run.endpoint, stack, stable, &TemplateText::of(tx, stable)?)?;
    for mut record in StackResource::all(tx, &stack.stack_id)?.into_values() {
        let Some(dependencies) = compiled.dependencies.get(&record.logical_id) else { continue };
        let declared = &compiled.template.resources[&record.logical_id];
        record.deletion_policy = declared.deletion_policy;
        record.update_replace_policy = declared.update_replace_policy;
        record.now.depends_on.clone_from(dependencies);
        tx.put(&record)?;
    }
    Ok(())
}

fn needs(record: &StackResource, logical_id: &str) -> bool {
    record.logical_id != logical_id && record.before.as_ref().is_some_and(|it| it.depends_on.contains(logical_id))
}

/// Says whether the resource is what it was.
fn revert_one(run: &Run, stack: &Stack, record: &StackResource) -> Result<bool, ApiError> {
    let Some(before) = record.before.as_deref() else { return Ok(true) };
    undo_pending(run, stack, record)?;
    let done = run.endpoint.store.write(|tx| {
        let mut record = record.clone();
        record.pending = None;
        record.enter(tx, stack, ResourceStatus::UpdateInProgress, None, &before.properties)?;
        if !stack.spared.contains(&record.logical_id) {
            restore(tx, run, stack, &mut record, before)?;
        } else {
            record.now = before.clone();
        }
        record.before = Some(Box::new(record.now.clone()));
        record.before_is_gone = false;
        record.enter(tx, stack, ResourceStatus::UpdateComplete, None, &before.properties)
    });
    let Err(error) = done else { return Ok(true) };
    let mut record = record.clone();
    run.endpoint
        .store
        .write(|tx| record.enter(tx, stack, ResourceStatus::UpdateFailed, Some(&error.message), &before.properties))?;
    Ok(false)
}

fn restore(
    tx: &Tx<'_>,
    run: &Run,
    stack: &Stack,
    record: &mut StackResource,
    before: &ActualState,
) -> Result<(), ApiError> {
    let handler = handler(&record.resource_type)?;
    let logical_id = record.logical_id.clone();
    let failed = std::mem::replace(&mut record.now, before.clone());
    // The number of the failed replacement is spent: its deletion is still to come and may fail.
    record.now.generation = failed.generation;
    let (Some(new_id), Some(old_id)) = (&failed.physical_id, &before.physical_id) else { return Ok(()) };
    if new_id == old_id {
        let mut tags = foreign_tags(tx, run, handler, &failed, old_id)?;
        tags.extend(before.tags.clone());
        let cx = Context { tags: &tags, ..run.context(tx, stack, &logical_id, before) };
        record.now.attributes = handler.update(&cx, old_id, &failed.properties, &before.properties)?;
        return Ok(());
    }
    if record.before_is_gone {
        handler.delete(&run.context(tx, stack, &logical_id, &failed), new_id, &failed.properties)?;
        record.now.generation += 1;
        let again = record.now.clone();
        let created = handler.create(&run.context(tx, stack, &logical_id, &again), &before.properties)?;
        record.now.physical_id = Some(created.physical_id);
        record.now.attributes = created.attributes;
        return Ok(());
    }
    let mut old = record.clone();
    old.now = before.clone();
    tx.delete::<Leftover>(&Leftover(old).id())?;
    let mut new = record.clone();
    new.now = failed;
    new.before = None;
    tx.put(&Leftover(new))
}
