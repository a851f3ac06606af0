//! Tokens by which a request that is sent again runs nothing more.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cluster::Cluster;
use super::task::Task;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// What an earlier request with the same token asked for and got.
#[derive(Serialize, Deserialize)]
pub(super) struct ClientToken {
    pub(super) id: String,
    pub(super) fingerprint: String,
    pub(super) tasks: Vec<String>,
    pub(super) used_at: DateTime<Utc>,
}

impl Record for ClientToken {
    const KIND: &'static str = "ecs.client_token";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// The tasks that an earlier request with this token ran.
pub(super) fn earlier(
    tx: &Tx<'_>,
    cluster: &Cluster,
    token: Option<&str>,
    fingerprint: &str,
) -> Result<Option<Vec<Task>>, ApiError> {
    let Some(token) = token else { return Ok(None) };
    let Some(used) = tx.get::<ClientToken>(&format!("{}/{token}", cluster.name))? else { return Ok(None) };
    let mut tasks = Vec::new();
    for key in &used.tasks {
        tasks.extend(tx.get::<Task>(key)?);
    }
    // A token lives as long as its tasks can be seen.
    if tasks.is_empty() {
        return Ok(None);
    }
    if used.fingerprint != fingerprint {
        let arns: Vec<&str> = tasks.iter().map(|task| task.arn.as_str()).collect();
        return Err(ApiError::new(
            "ConflictException",
            "The request could not be processed because of conflict with the current state: the clientToken is already in use with a different RunTask request.",
        )
        .with("resourceIds", arns));
    }
    Ok(Some(tasks))
}
