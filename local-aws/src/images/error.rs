//! What goes wrong with the files of images.

use std::io;
use std::path::{Path, PathBuf};

use oci_spec::image::MediaType;

use crate::error::ApiError;

/// Why the files of an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("failed to copy: blob {0} does not have the digest that its name says")]
    Digest(String),
    #[error("blob {0} is larger than the {1} bytes that a manifest or configuration may have")]
    Document(String, u64),
    #[error("{0} is not supported by the local endpoint")]
    MediaType(MediaType),
    #[error("failed to extract layer: {0}")]
    Layer(String),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
}

impl ImageError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}

/// Failure of a write to the image store.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> ApiError {
    ApiError::internal(format!(
        "{} cannot be written: {error}; check the space on the disk and the owner and mode of the state directory.",
        path.display()
    ))
}
