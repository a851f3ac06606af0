//! The operations of the gate.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::gates::{Gate, Gates};
use super::refusal::{invalid, no_gate};
use super::script::{Script, Turn};
use crate::ecs::gated;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;

/// How long a question may be let wait, in seconds.
const LONGEST: u64 = 20;

/// How often it is looked whether a task has ended.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PutGate {
    /// Name of the cluster.
    cluster: String,
    #[serde(default)]
    turns: Vec<Turn>,
}

/// Makes the cluster's gate, or another one of it that knows no task yet.
pub(super) fn put_gate(endpoint: &Endpoint, input: PutGate) -> Result<Value, ApiError> {
    endpoint.memory::<Gates>().put(input.cluster, Script::new(input.turns)?);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeleteGate {
    cluster: String,
}

/// Takes the gate away; what it has held may pass.
pub(super) fn delete_gate(endpoint: &Endpoint, input: &DeleteGate) -> Value {
    json!({"deleted": endpoint.memory::<Gates>().delete(&input.cluster)})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeGate {
    cluster: String,
    wait: Option<Wait>,
}

/// The answer waits for the task, so many seconds at most.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wait {
    /// Id of the task.
    task: String,
    until: Until,
    seconds: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Until {
    /// It has come to the gate, or ended.
    Seen,
    /// It is STOPPED.
    Ended,
}

/// What the gate has seen: tasks, requests, and how many turns are over.
pub(super) async fn describe_gate(call: Call) -> Result<Value, ApiError> {
    let DescribeGate { cluster, wait } = call.decode()?;
    let gate = call.endpoint.memory::<Gates>().of(&cluster).ok_or_else(|| no_gate(&cluster))?;
    if let Some(wait) = wait {
        if wait.seconds > LONGEST {
            return Err(invalid(format!("seconds is at most {LONGEST}.")));
        }
        let time = Duration::from_secs(wait.seconds);
        if let Ok(failed) = tokio::time::timeout(time, come_true(&call.endpoint, &gate, &wait)).await {
            failed?;
        }
    }
    let state = gate.state();
    Ok(json!({"tasks": state.tasks, "turnsOver": state.script.over(), "requests": state.requests}))
}

async fn come_true(endpoint: &Endpoint, gate: &Gate, wait: &Wait) -> Result<(), ApiError> {
    let is_seen = || matches!(wait.until, Until::Seen) && gate.state().tasks.contains(&wait.task);
    while !is_seen() && !gated::has_ended(endpoint, &gate.cluster, &wait.task)? {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
