//! Takes up what an earlier endpoint left, and forgets what is old.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::client_token::ClientToken;
use super::cluster::Cluster;
use super::task::Task;
use super::task_definitions::drop_deleted;
use super::{launch, lifecycle, network};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// AWS keeps stopped tasks for at least an hour, and client tokens for a day.
const KEEP: TimeDelta = TimeDelta::hours(1);

/// Goes on with the tasks that are not over.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let unfinished = endpoint.store.write(|tx| take_up(endpoint, tx))?;
    clean(endpoint, &unfinished);
    unfinished.into_iter().for_each(|task| lifecycle::go_on(endpoint, task));
    Ok(())
}

/// The tasks that are not over, each with what versions before did not write down.
pub(super) fn take_up(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Task>, ApiError> {
    forget(tx, Utc::now())?;
    let unfinished: Vec<Task> = tx.list::<Task>()?.into_iter().filter(|task| !task.is_stopped()).collect();
    for task in &unfinished {
        network::adopt(endpoint, tx, task)?;
        launch::note_image(tx, task)?;
    }
    Ok(unfinished)
}

/// Forgets what AWS would not show any more.
pub(super) fn forget(tx: &Tx<'_>, now: DateTime<Utc>) -> Result<(), ApiError> {
    for task in tx.list::<Task>()? {
        if task.stopped_at.is_some_and(|time| now - time > KEEP) {
            tx.delete::<Task>(&task.id())?;
        }
    }
    for cluster in tx.list::<Cluster>()? {
        if cluster.deleted_at.is_some_and(|time| now - time > KEEP) {
            tx.delete::<Cluster>(&cluster.id())?;
        }
    }
    for token in tx.list::<ClientToken>()? {
        if now - token.used_at > KEEP * 24 {
            tx.delete::<ClientToken>(&token.id())?;
        }
    }
    drop_deleted(tx)
}

/// Deletes the files of tasks that nobody needs any more.
fn clean(endpoint: &Endpoint, unfinished: &[Task]) {
    let tasks = std::fs::read_dir(endpoint.state_dir.join("tasks")).into_iter().flatten().try_for_each(|entry| {
        let entry = entry?;
        let id = entry.file_name();
        let is_needed = unfinished.iter().any(|task| *task.id == *id);
        if is_needed { Ok(()) } else { std::fs::remove_dir_all(entry.path()) }
    });
    if let Err(error) = tasks {
        tracing::warn!(%error, "old files were left behind");
    }
}
