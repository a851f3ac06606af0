//! RunTask: from a request to tasks that are PROVISIONING.

mod create;
mod request;

use std::sync::Arc;

use chrono::Utc;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::create::create;
pub(crate) use self::request::RunTask;
use super::client_token::{ClientToken, earlier};
use super::cluster::Cluster;
use super::lifecycle;
use super::permission::needs_of_run_task;
use super::refusal::INVALID;
use super::tag;
use super::task::Task;
use super::task_description::describe;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::{Record, Tx};
use crate::wire;

/// What tells requests with the same token apart: all but the token.
pub(super) fn fingerprint(mut input: Value) -> String {
    if let Some(members) = input.as_object_mut() {
        members.remove("clientToken");
    }
    format!("{:x}", Sha256::digest(input.to_string()))
}

pub(super) fn run_task(endpoint: &Arc<Endpoint>, input: RunTask, fingerprint: String) -> Result<Value, ApiError> {
    let run = endpoint.store.write(|tx| run(endpoint, tx, input, fingerprint))?;
    run.start(endpoint);
    let tasks: Value = run.tasks.iter().map(|task| describe(task, true)).collect();
    Ok(json!({"tasks": tasks, "failures": []}))
}

/// What a RunTask has made, or found made by an earlier one with the same token.
pub(crate) struct Run {
    tasks: Vec<Task>,
    are_new: bool,
}

impl Run {
    /// Drives the tasks, once they are written.
    pub(crate) fn start(&self, endpoint: &Arc<Endpoint>) {
        if self.are_new {
            self.tasks.iter().for_each(|task| lifecycle::start(endpoint, task));
        }
    }
}

/// Makes the tasks that are asked for.
fn run(endpoint: &Endpoint, tx: &Tx<'_>, mut input: RunTask, fingerprint: String) -> Result<Run, ApiError> {
    input.validate()?;
    let own_tags = tag::read(std::mem::take(&mut input.tags))?;
    let cluster = Cluster::find(endpoint, tx, input.cluster.as_deref())?;
    if let Some(tasks) = earlier(tx, &cluster, input.client_token.as_deref(), &fingerprint)? {
        return Ok(Run { tasks, are_new: false });
    }
    let tasks = create(endpoint, tx, &cluster, &input, &own_tags)?;
    if let Some(token) = &input.client_token {
        let tasks = tasks.iter().map(Task::id).collect();
        let id = format!("{}/{token}", cluster.name);
        tx.put(&ClientToken { id, fingerprint, tasks, used_at: Utc::now() })?;
    }
    Ok(Run { tasks, are_new: true })
}

/// RunTask by another service, in a role and in that service's transaction. The tasks are to be started once it has ended.
///
/// # Errors
/// Those of RunTask; AccessDeniedException when the role may not call it.
pub(crate) fn run_in_role(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    role_arn: &str,
    session: &str,
    input: Value,
) -> Result<Run, ApiError> {
    for need in needs_of_run_task(endpoint, tx, &input)? {
        let need = need.with("sts:RoleSessionName", session);
        iam::authorize(tx, role_arn, &need.action, &need.resource, &need.conditions)?;
    }
    let request = wire::read(INVALID, "RunTask", &input)?;
    run(endpoint, tx, request, fingerprint(input))
}
