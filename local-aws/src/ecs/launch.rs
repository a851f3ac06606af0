//! What a task needs to start: its image, its log, its program. Failures are texts for the task's stoppedReason.

use std::sync::Arc;

use super::task::Task;
use super::{container, execution_role};
use crate::ecr::image_use::ImageUse;
use crate::ecr::pull::{PulledImage, pull};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::logs;
use crate::program::process::{Program, signal_named};
use crate::store::Tx;

/// Gets the image as the execution role.
pub(super) async fn image(endpoint: &Arc<Endpoint>, task: &Task) -> Result<Result<PulledImage, String>, ApiError> {
    if let Err(reason) = endpoint.store.read(|tx| execution_role::may_pull(tx, task))? {
        return Ok(Err(reason));
    }
    let (registry, reference) = (endpoint.clone(), task.container.image.clone());
    let architecture = task.docker_architecture();
    let pulled = tokio::task::spawn_blocking(move || pull(&registry, &reference, architecture))
        .await
        .map_err(|error| ApiError::internal(format!("The image could not be unpacked: {error}")))?;
    let image = match pulled {
        Ok(image) => image,
        Err(error) => {
            let text = format!("CannotPullContainerError: pull image manifest has been retried 1 time(s): {error}");
            return Ok(Err(text));
        }
    };
    Ok(match stop_signal(&image).filter(|name| signal_named(name).is_none()) {
        Some(name) => Err(format!("CannotCreateContainerError: invalid signal: {name}")),
        None => Ok(image),
    })
}

/// The signal that the image wants to be stopped by.
pub(super) fn stop_signal(image: &PulledImage) -> Option<String> {
    image.config.config().as_ref().and_then(|config| config.stop_signal().clone())
}

/// Records that the task runs its image; at a start, too, for versions before did not.
pub(super) fn note_image(tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
    task.image_digest.as_ref().map_or(Ok(()), |digest| ImageUse::begin(tx, &task.arn, digest))
}

/// Makes the log stream and finds the program in the image.
pub(super) fn program(
    endpoint: &Endpoint,
    task: &Task,
    image: &PulledImage,
) -> Result<Result<Program, String>, ApiError> {
    Ok(open_log(endpoint, task)?.and_then(|()| container::program(endpoint, task, image)))
}

/// Makes the log stream as the execution role.
fn open_log(endpoint: &Endpoint, task: &Task) -> Result<Result<(), String>, ApiError> {
    let Some((group, stream)) = task.log_stream() else { return Ok(Ok(())) };
    let opened = endpoint.store.write(|tx| {
        if let Err(denial) = execution_role::may_log(endpoint, tx, task, group, &stream)? {
            return Ok(Err(denial));
        }
        match logs::ensure_stream(tx, group, &stream) {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.status >= 500 => Err(error),
            Err(error) => Ok(Err(format!("{}: {}", error.code, error.message))),
        }
    })?;
    Ok(opened.map_err(|error| {
        format!(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: {error} : exit status 1"
        )
    }))
}
