//! A blob on its way in.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use axum::body::Body;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::digest::finished;
use super::error::unwritable;
use crate::error::ApiError;

/// A blob on its way in. Its file goes with it, unless it was [`Finished`].
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(super) repository: String,
    path: PathBuf,
    file: File,
    hash: Sha256,
    pub(crate) received: u64,
    pub(super) touched: Instant,
}

impl Upload {
    /// Begins one in a new file. At once: a request is dropped where it waits when its client is gone, and a file that
    /// was on its way by then would belong to nobody.
    pub(super) fn begin(repository: &str, path: PathBuf) -> io::Result<Self> {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let file = File::from_std(file);
        let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (hash, repository, touched) = (Sha256::new(), repository.to_owned(), Instant::now());
        Ok(Self { id, repository, path, file, hash, received: 0, touched })
    }

    /// Adds the body. After an error the upload is worth nothing.
    pub(crate) async fn append(&mut self, mut body: Body) -> Result<(), ApiError> {
        let broken = |error: &dyn std::fmt::Display| {
            ApiError::new("BLOB_UPLOAD_INVALID", format!("The upload broke off: {error}; begin a new one."))
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            self.hash.update(data);
            self.file.write_all(data).await.map_err(|error| unwritable(&self.path, &error))?;
            self.received += data.len() as u64;
        }
        // Tokio's file writes behind: only now is a full disk known.
        self.file.flush().await.map_err(|error| unwritable(&self.path, &error))
    }

    /// The whole blob, if it is the one that `digest` names.
    pub(crate) fn finish(self, digest: &str) -> Result<Finished, ApiError> {
        if finished(self.hash.clone()) != digest {
            return Err(ApiError::new(
                "BLOB_UPLOAD_INVALID",
                format!("None of the provided layer digests match the calculated layer digest: {digest}"),
            ));
        }
        Ok(Finished { digest: digest.to_owned(), upload: self })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// A verified blob that is not yet among the others.
pub(crate) struct Finished {
    pub(super) digest: String,
    upload: Upload,
}

impl Finished {
    pub(super) fn path(&self) -> &Path {
        &self.upload.path
    }

    pub(super) fn size(&self) -> u64 {
        self.upload.received
    }
}

/// Deletes a file that may have been moved away.
pub(super) fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "left behind until the next start");
    }
}
