//! The Lambda function that restarts the job when it was interrupted, with no human: a program beside `improved.rs`,
//! which does not know of it.
//!
//! EventBridge calls it when a task has stopped, and each minute, for an event can be late, come twice or get lost.

use std::process::ExitCode;

use fis_workshop_worker::{
    Failure,
    watchdog::{Call, Decision, Watchdog, decide, serve},
};

pub(crate) fn main() -> ExitCode {
    serve(watchdog)
}

/// Looks what has become of the job, and starts its next task if that is what it needs.
async fn watchdog(watchdog: &Watchdog, call: &Call) -> Result<(), Failure> {
    let seen = watchdog.look(call).await?;
    let decision = decide(&seen, watchdog.limits(), call.time());

    if let Decision::Restart { mark, .. } = &decision {
        watchdog.restart(&seen, mark).await?;
    }
    watchdog.report(&seen, &decision, call.time()).await
}
