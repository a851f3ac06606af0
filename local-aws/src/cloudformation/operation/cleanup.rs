//! The phases that delete: after an update, after its rollback, a creation's rollback, a deletion.

use super::remove::{Item, leftovers, remove};
use super::run::{Run, failed_to, settle};
use crate::cloudformation::change_set;
use crate::cloudformation::compiled::Compiled;
use crate::cloudformation::export;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::StackStatus;
use crate::cloudformation::template::DeletionPolicy;
use crate::cloudformation::template_text::TemplateText;
use crate::error::ApiError;
use crate::store::Tx;

/// Deletes what the update has replaced or taken out. What cannot be deleted does not undo the update; it stays on
/// record and is tried again by the next one.
pub(super) async fn after_update(run: &Run, stack: Stack) -> Result<Stack, ApiError> {
    let text = run.endpoint.store.read(|tx| TemplateText::of(tx, &stack.target))?;
    let compiled = Compiled::of(&run.endpoint, &stack, &stack.target, &text)?;
    let items = run.endpoint.store.read(|tx| {
        let replaced = leftovers(tx, &stack.stack_id)?.into_iter().map(|it| {
            let keep = it.0.update_replace_policy != DeletionPolicy::Delete;
            Item::leftover(it, keep)
        });
        let gone = present(tx, &stack)?.into_iter().filter(|it| !compiled.dependencies.contains_key(&it.logical_id));
        let gone = gone.map(|it| {
            let keep = it.deletion_policy != DeletionPolicy::Delete;
            Item::current(it, keep)
        });
        Ok(replaced.chain(gone).collect())
    })?;
    remove(run, &stack, items, false).await?;
    run.end_phase(stack.status, |tx, stack| finish(tx, stack, StackStatus::UpdateComplete))
}

/// Deletes what the failed update had made.
pub(super) async fn after_rollback(run: &Run, stack: Stack) -> Result<Stack, ApiError> {
    let items = run.endpoint.store.read(|tx| {
        let replacements = leftovers(tx, &stack.stack_id)?.into_iter().map(|it| Item::leftover(it, false));
        let new = present(tx, &stack)?.into_iter().filter(|it| stack.unsettled.contains(&it.added_by));
        Ok(replacements.chain(new.map(|it| undone(&stack, it))).collect())
    })?;
    remove(run, &stack, items, false).await?;
    run.end_phase(stack.status, |tx, stack| finish(tx, stack, StackStatus::UpdateRollbackComplete))
}

/// Deletes everything that the failed creation had made.
pub(super) async fn rollback(run: &Run, stack: Stack) -> Result<Stack, ApiError> {
    let items = run.endpoint.store.read(|tx| {
        let replaced = leftovers(tx, &stack.stack_id)?.into_iter().map(|it| Item::leftover(it, false));
        Ok(replaced.chain(present(tx, &stack)?.into_iter().map(|it| undone(&stack, it))).collect())
    })?;
    let failed = remove(run, &stack, items, false).await?;
    run.end_phase(stack.status, |tx, stack| {
        if failed.is_empty() {
            stack.enter(tx, StackStatus::RollbackComplete, None)
        } else {
            stack.enter(tx, StackStatus::RollbackFailed, failed_to("delete", &failed))
        }
    })
}

/// Deletes the stack.
pub(super) async fn delete(run: &Run, stack: Stack) -> Result<Stack, ApiError> {
    let released = run.end_phase(stack.status, |tx, stack| export::publish(tx, stack, &[]));
    match released {
        Err(error) if error.status < 500 => {
            return run.end_phase(stack.status, |tx, stack| stack.enter(tx, StackStatus::DeleteFailed, error.message));
        }
        other => other?,
    };
    let items = run.endpoint.store.read(|tx| {
        let replaced = leftovers(tx, &stack.stack_id)?.into_iter().map(|it| {
            let keep = it.0.update_replace_policy != DeletionPolicy::Delete || stack.spared.contains(&it.0.logical_id);
            Item::leftover(it, keep)
        });
        let current = present(tx, &stack)?.into_iter().map(|it| {
            let keep = it.deletion_policy != DeletionPolicy::Delete || stack.spared.contains(&it.logical_id);
            Item::current(it, keep)
        });
        Ok(replaced.chain(current).collect())
    })?;
    let force = stack.deletion_mode.as_deref() == Some("FORCE_DELETE_STACK");
    let failed = remove(run, &stack, items, force).await?;
    run.end_phase(stack.status, |tx, stack| {
        if !failed.is_empty() && !force {
            return stack.enter(tx, StackStatus::DeleteFailed, failed_to("delete", &failed));
        }
        change_set::delete_all(tx, &stack.stack_id)?;
        stack.enter(tx, StackStatus::DeleteComplete, None)
    })
}

/// Resources that have not left the stack.
fn present(tx: &Tx<'_>, stack: &Stack) -> Result<Vec<StackResource>, ApiError> {
    let all = StackResource::all(tx, &stack.stack_id)?;
    Ok(all.into_values().filter(|it| !it.status.is_gone()).collect())
}

/// A resource whose creation is undone: `Retain` keeps even that, `RetainExceptOnCreate` does not.
fn undone(stack: &Stack, record: StackResource) -> Item {
    let keep = record.deletion_policy == DeletionPolicy::Retain && !stack.retain_except_on_create;
    Item::current(record, keep)
}

/// The stack is what its target says; from now on there is no way back.
fn finish(tx: &Tx<'_>, stack: &mut Stack, status: StackStatus) -> Result<(), ApiError> {
    for mut record in StackResource::all(tx, &stack.stack_id)?.into_values().filter(|it| it.before.is_some()) {
        record.before = None;
        record.before_is_gone = false;
        tx.put(&record)?;
    }
    let target = stack.target.clone();
    settle(stack, target);
    stack.enter(tx, status, None)
}
