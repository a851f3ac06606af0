//! What happened, in words: a line for each event that a person would want to hear of.

use super::event::{Event, Moment, What};

/// `None` where other events say the same.
pub(crate) fn words(event: &Event) -> Option<String> {
    Some(match &event.what {
        What::Turn { batch_size, item_seconds } => format!("its turn begins: {batch_size} items of {item_seconds} s"),
        What::Task { task, moment } => format!("task {} {}", short(task), state(*moment)?),
        What::TaskEnded { task, reason, exit_code, .. } => {
            let code = exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
            format!("task {} STOPPED, {code}: {}", short(task), reason.as_deref().unwrap_or("ECS gives no reason"))
        }
        What::Line { message, .. } => format!("| {message}"),
        // The log tells of it.
        What::Item { .. } => return None,
        What::Sent { messages } => format!("{messages} items were sent to the queue"),
        What::ExperimentStarted { experiment } => format!("experiment {experiment} begins"),
        What::ExperimentEnded { experiment, status, reason } => format!("experiment {experiment} {status}: {reason}"),
        What::Hit { task, index, .. } => {
            let index =
                index.map_or_else(|| "before it wrote anything".to_owned(), |index| format!("after index {index}"));
            format!("the experiment has stopped task {} {index}", short(task))
        }
        What::Result { .. } => return None,
        What::Failed { error } => format!("failed: {error}"),
    })
}

/// As much of a task's id as people read.
fn short(task: &str) -> &str {
    task.get(..8).unwrap_or(task)
}

/// The state that begins then; STOPPED has an event of its own.
fn state(moment: Moment) -> Option<&'static str> {
    match moment {
        Moment::Created => Some("PROVISIONING"),
        Moment::PullStarted => Some("PENDING: its image is pulled"),
        Moment::Started => Some("RUNNING"),
        Moment::Stopping => Some("STOPPING"),
        Moment::ExecutionStopped => Some("DEPROVISIONING"),
        Moment::Connected | Moment::PullStopped | Moment::Stopped => None,
    }
}
