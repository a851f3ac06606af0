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
use super::tag;
use super::task::Task;
use super::task_description::describe;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Record;

/// What tells requests with the same token apart: all but the token.
pub(super) fn fingerprint(mut input: Value) -> String {
    if let Some(members) = input.as_object_mut() {
        members.remove("clientToken");
    }
    format!("{:x}", Sha256::digest(input.to_string()))
}

pub(super) fn run_task(endpoint: &Arc<Endpoint>, mut input: RunTask, fingerprint: String) -> Result<Value, ApiError> {
    input.validate()?;
    let own_tags = tag::read(std::mem::take(&mut input.tags))?;
    let (tasks, are_new) = endpoint.store.write(|tx| {
        let cluster = Cluster::find(endpoint, tx, input.cluster.as_deref())?;
        if let Some(tasks) = earlier(tx, &cluster, input.client_token.as_deref(), &fingerprint)? {
            return Ok((tasks, false));
        }
        let tasks = create(endpoint, tx, &cluster, &input, &own_tags)?;
        if let Some(token) = &input.client_token {
            let tasks = tasks.iter().map(Task::id).collect();
            let id = format!("{}/{token}", cluster.name);
            tx.put(&ClientToken { id, fingerprint, tasks, used_at: Utc::now() })?;
        }
        Ok((tasks, true))
    })?;
    if are_new {
        tasks.iter().for_each(|task| lifecycle::start(endpoint, task));
    }
    let tasks: Value = tasks.iter().map(|task| describe(task, true)).collect();
    Ok(json!({"tasks": tasks, "failures": []}))
}
