//! Waits as long as AWS takes.

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::run::Run;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::under_way::UnderWay;
use crate::error::ApiError;
use crate::latency::until;

/// Waits until `time`, and not longer than the operation goes on; says whether the time has come.
pub(super) async fn is_over(
    run: &Run,
    stack: &Stack,
    time: DateTime<Utc>,
    cancelled: &watch::Sender<bool>,
) -> Result<bool, ApiError> {
    let mut cancelled = cancelled.subscribe();
    let under_way = run.endpoint.memory::<UnderWay>();
    loop {
        let call = under_way.calls.notified();
        tokio::pin!(call);
        // Before the look at the stack: a call between the two is not missed.
        call.as_mut().enable();
        let now = run.endpoint.store.read(|tx| Stack::of(tx, &stack.stack_id))?;
        if (now.status, &now.operation.id) != (stack.status, &stack.operation.id) {
            return Ok(false);
        }
        tokio::select! {
            () = tokio::time::sleep(until(time)) => return Ok(true),
            _ = cancelled.wait_for(|is_cancelled| *is_cancelled) => return Ok(false),
            () = call => {}
        }
    }
}
