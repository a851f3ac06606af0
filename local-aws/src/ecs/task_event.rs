//! The event that a change of a task sends.

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::task::Task;
use super::task_description::{describe, times};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::outbox::{self, Event};
use crate::store::Tx;

/// Sends `ECS Task State Change` for a task as it is now.
pub(super) fn send(endpoint: &Endpoint, tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
    outbox::put(tx, endpoint, || {
        let resources = vec![task.arn.clone()];
        Event::new("aws.ecs", "ECS Task State Change", resources, detail(task))
    })
}

/// The task as DescribeTasks shows it, but for times, the interface's name, and what events do not have: tags, health
/// and some lists that are always empty.
fn detail(task: &Task) -> Value {
    let mut detail = describe(task, false);
    for (member, time) in times(task) {
        if let Some(time) = time {
            detail[member] = json!(time.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
    }
    detail["updatedAt"] = json!(Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true));
    detail["attachments"][0]["type"] = json!("eni");
    remove(&mut detail, &["tags", "healthStatus", "platformFamily"]);
    remove(&mut detail["containers"][0], &["healthStatus", "networkBindings"]);
    remove(&mut detail["overrides"], &["inferenceAcceleratorOverrides"]);
    detail
}

fn remove(value: &mut Value, members: &[&str]) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|member, _| !members.contains(&member.as_str()));
    }
}
