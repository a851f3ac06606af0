//! Operations on stacks: they run in the background, and any of them can be taken up again from the store.
//!
//! Each step (a resource made, changed or deleted, with its record and its events) is one transaction, and what the
//! next step is follows from the store alone. So a `kill -9` between two steps loses nothing, and `resume` goes on as
//! if nothing had been.
//!
//! # Layout
//! - this file: which phase follows which; `run`: what they have in common
//! - `apply`: makes the stack what its template says; `pass`: how far it is; `step`: one resource of that; `wait`: AWS's
//!   latencies
//! - `remove`: deletes resources in reverse order of their dependencies; `cleanup`: the phases that are made of it
//! - `revert`: takes the changes of a failed update back
//! - `unrecorded`: what was made when the endpoint was ended, and is on no record

mod apply;
mod cleanup;
mod pass;
mod remove;
mod revert;
mod run;
mod step;
mod unrecorded;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use self::run::Run;
use super::schema::Schemas;
use super::stack::Stack;
use super::status::StackStatus;
use super::under_way::UnderWay;
use crate::background;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Answer, Call};

/// How long the answer to a call that starts an operation is held back for the operation to end. The waiters of the AWS
/// CLI (`aws cloudformation deploy`, `wait`) look once, at once, and then sleep for 30 s.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// How long an operation waits before it tries again to use a state that failed it (full disk), at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Lets the operation that the stack's record asks for run in the background.
pub(super) fn start(endpoint: &Arc<Endpoint>, schemas: Arc<Schemas>, stack_id: &str) {
    let (endpoint, id) = (Arc::clone(endpoint), stack_id.to_owned());
    endpoint.memory::<UnderWay>().count.send_modify(|count| *count += 1);
    background::drive(stack_id, move || {
        drive(Run { endpoint: Arc::clone(&endpoint), schemas: Arc::clone(&schemas), stack_id: id.clone() })
    });
}

async fn drive(run: Run) {
    let under_way = run.endpoint.memory::<UnderWay>();
    let mut pause = RETRY.0;
    while let Err(error) = run.drive().await {
        tracing::error!(stack = run.stack_id, %error, "a stack operation is held up; it will be tried again");
        under_way.hold_up(&run.stack_id, Some(error));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
    under_way.hold_up(&run.stack_id, None);
    under_way.count.send_modify(|count| *count -= 1);
}

/// The answer to a call that starts an operation.
pub(super) fn begin(call: Call, run: fn(&Call) -> Result<Value, ApiError>) -> Answer {
    Box::pin(async move {
        let output = run(&call)?;
        // With AWS's latencies nothing is over in that time, and the time would count.
        if call.endpoint.latency.is_none() {
            settled(&call.endpoint, ANSWER_WITHIN).await;
        }
        Ok(output)
    })
}

/// Takes up the operations that an earlier endpoint left unfinished.
pub(super) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let stacks = endpoint.store.read(Stack::alive)?;
    for stack in stacks.into_iter().filter(|stack| stack.status.is_working()) {
        start(endpoint, Arc::default(), &stack.stack_id);
    }
    Ok(())
}

/// Waits until no operation is under way, but not longer than `patience`.
async fn settled(endpoint: &Endpoint, patience: Duration) {
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
}
