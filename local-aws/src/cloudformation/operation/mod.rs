//! Operations on stacks: they run in the background, and any of them can be taken up again from the store.
//!
//! Each step (a resource made, changed or deleted, with its record and its events) is one transaction, and what the
//! next step is follows from the store alone. So a `kill -9` between two steps loses nothing, and `resume` goes on as
//! if nothing had been.
//!
//! # Layout
//! - this file: which phase follows which
//! - `apply`: makes the stack what its template says; `step`: one resource of that; `wait`: AWS's latencies
//! - `remove`: deletes resources in reverse order of their dependencies; `cleanup`: the phases that are made of it
//! - `revert`: takes the changes of a failed update back
//! - `unrecorded`: what was made when the endpoint was ended, and is on no record

mod apply;
mod cleanup;
mod remove;
mod revert;
mod step;
mod unrecorded;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use super::resources::Context;
use super::schema::Schemas;
use super::stack::{Stack, Target};
use super::stack_resource::ActualState;
use super::status::StackStatus;
use super::under_way::UnderWay;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// How long an operation waits before it tries again to use a state that failed it (full disk), at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// What the phases of one operation work on.
#[derive(Clone)]
struct Run {
    endpoint: Arc<Endpoint>,
    schemas: Arc<Schemas>,
    stack_id: String,
}

/// Lets the operation that the stack's record asks for run in the background.
pub(super) fn start(endpoint: &Arc<Endpoint>, schemas: Arc<Schemas>, stack_id: &str) {
    let run = Run { endpoint: Arc::clone(endpoint), schemas, stack_id: stack_id.to_owned() };
    let under_way = endpoint.memory::<UnderWay>();
    under_way.count.send_modify(|count| *count += 1);
    tokio::spawn(async move {
        let mut pause = RETRY.0;
        while let Err(error) = run.drive().await {
            tracing::error!(stack = run.stack_id, %error, "a stack operation is held up; it will be tried again");
            under_way.hold_up(&run.stack_id, Some(error));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
        under_way.hold_up(&run.stack_id, None);
        under_way.count.send_modify(|count| *count -= 1);
    });
}

/// Waits until no operation is under way, but not longer than `patience`.
pub(super) async fn settled(endpoint: &Endpoint, patience: Duration) {
    let mut count = endpoint.memory::<UnderWay>().count.subscribe();
    // The time being over is as good as the operations.
    let _ = tokio::time::timeout(patience, count.wait_for(|count| *count == 0)).await;
}

impl Run {
    /// Goes from phase to phase. An error is the store's; failures of resources are states of the stack.
    async fn drive(&self) -> Result<(), ApiError> {
        let mut stack = self.endpoint.store.read(|tx| Stack::of(tx, &self.stack_id))?;
        while stack.status.is_working() {
            stack = match stack.status {
                StackStatus::CreateInProgress | StackStatus::UpdateInProgress => apply::apply(self, stack).await?,
                StackStatus::UpdateCompleteCleanupInProgress => cleanup::after_update(self, stack).await?,
                StackStatus::RollbackInProgress => cleanup::rollback(self, stack).await?,
                StackStatus::UpdateRollbackInProgress => revert::revert(self, &stack)?,
                StackStatus::UpdateRollbackCompleteCleanupInProgress => cleanup::after_rollback(self, stack).await?,
                _ => cleanup::delete(self, stack).await?,
            };
        }
        Ok(())
    }

    /// Ends a phase: `change` alters the record and enters the next status. When a call has sent the stack
    /// elsewhere in the meantime (DeleteStack during a creation), its word stands.
    fn end_phase(
        &self,
        phase: StackStatus,
        change: impl FnOnce(&Tx<'_>, &mut Stack) -> Result<(), ApiError>,
    ) -> Result<Stack, ApiError> {
        self.endpoint.store.write(|tx| {
            let mut stack = Stack::of(tx, &self.stack_id)?;
            if stack.status == phase {
                change(tx, &mut stack)?;
            }
            Ok(stack)
        })
    }

    /// What a resource type is told of the resource.
    fn context<'a>(
        &'a self,
        tx: &'a Tx<'a>,
        stack: &'a Stack,
        logical_id: &'a str,
        reality: &'a ActualState,
    ) -> Context<'a> {
        Context {
            endpoint: &self.endpoint,
            tx,
            stack_id: &stack.stack_id,
            stack_name: &stack.name,
            logical_id,
            tags: &reality.tags,
            generation: reality.generation,
            ready_at: None,
            repeated: false,
        }
    }
}

/// The target that a failed update goes back to.
fn settle(stack: &mut Stack, target: Target) {
    stack.target = target.clone();
    stack.stable = Some(target);
    stack.unsettled.clear();
}

/// `The following resource(s) failed to VERB: [A, B]. `, as AWS writes it, or nothing.
fn failed_to(verb: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("The following resource(s) failed to {verb}: [{}]. ", names.join(", "))
}
