//! Where the files are, which uploads are under way, and which file systems somebody works with.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// How long an upload may lie untouched before its file is deleted.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The files of the image store, and what is being done with them.
#[derive(Debug)]
pub(crate) struct ImageStore {
    /// `images/` in the state directory.
    directory: PathBuf,
    /// Unpacked images by the hex part of their digest.
    rootfs: PathBuf,
    /// Uploads that wait for their next request.
    uploads: Mutex<HashMap<String, Upload>>,
    /// How many pulls work with the file system of an image.
    leases: Arc<Mutex<HashMap<String, usize>>>,
    collecting: Mutex<()>,
}

impl ImageStore {
    /// The endpoint's; makes nothing on disk.
    pub(crate) fn of(endpoint: &Endpoint) -> Arc<Self> {
        let Ok(store) = endpoint.memory_or(|| {
            Ok::<_, Infallible>(Self {
                directory: endpoint.state_dir.join("images"),
                rootfs: endpoint.state_dir.join("rootfs"),
                uploads: Mutex::default(),
                leases: Arc::default(),
                collecting: Mutex::default(),
            })
        });
        store
    }

    /// `images/` in the state directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the file systems are.
    pub(super) fn rootfs_directory(&self) -> &Path {
        &self.rootfs
    }

    /// One collection at a time.
    pub(super) fn one_collection(&self) -> MutexGuard<'_, ()> {
        lock(&self.collecting)
    }

    /// Whether somebody works with the file system of the image.
    pub(super) fn is_leased(&self, digest: &str) -> bool {
        lock(&self.leases).contains_key(digest)
    }

    /// The file of a blob. `digest` must have passed [`is_sha256`] or the OCI types.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }

    /// The file system of an image.
    pub(super) fn rootfs(&self, digest: &str) -> PathBuf {
        self.rootfs.join(digest.trim_start_matches("sha256:"))
    }

    /// Writes a small blob: beside and renamed, as all blobs come to be.
    pub(crate) fn put_blob(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let beside = self.new_file()?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes).and_then(|()| self.move_in(&beside, digest)).inspect_err(|_| remove(&beside))
    }

    fn move_in(&self, file: &Path, digest: &str) -> io::Result<()> {
        let path = self.blob(digest);
        DirBuilder::new().recursive(true).mode(0o700).create(self.directory.join("blobs/sha256"))?;
        fs::rename(file, path)
    }

    fn new_file(&self) -> io::Result<PathBuf> {
        let directory = self.directory.join("uploads");
        DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        Ok(directory.join(uuid::Uuid::new_v4().to_string()))
    }

    /// Begins an upload into the repository; deletes those that somebody has given up.
    pub(crate) async fn begin_upload(&self, repository: &str) -> io::Result<Upload> {
        lock(&self.uploads).retain(|_, upload| upload.touched.elapsed() < ABANDONED);
        let path = self.new_file()?;
        let file = tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await?;
        let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (hash, repository, touched) = (Sha256::new(), repository.to_owned(), Instant::now());
        Ok(Upload { id, repository, path, file, hash, received: 0, touched })
    }

    /// The upload, for one request at a time; the request gives it back with [`ImageStore::keep_upload`].
    pub(crate) fn take_upload(&self, repository: &str, id: &str) -> Option<Upload> {
        let mut uploads = lock(&self.uploads);
        if uploads.get(id)?.repository == repository { uploads.remove(id) } else { None }
    }

    /// Lets the upload wait for its next request.
    pub(crate) fn keep_upload(&self, mut upload: Upload) {
        upload.touched = Instant::now();
        lock(&self.uploads).insert(upload.id.clone(), upload);
    }

    /// Deletes what waits for a repository that is not there any more.
    pub(super) fn give_up_uploads_but_to(&self, repositories: &HashSet<String>) {
        lock(&self.uploads).retain(|_, upload| repositories.contains(&upload.repository));
    }

    /// Keeps the file system of the image until the lease is dropped. To be taken in the transaction that finds the
    /// image.
    pub(super) fn lease(&self, digest: &str) -> Lease {
        *lock(&self.leases).entry(digest.to_owned()).or_default() += 1;
        Lease { leases: self.leases.clone(), digest: digest.to_owned() }
    }
}

/// A file system of an image that somebody works with.
#[derive(Debug)]
pub(crate) struct Lease {
    leases: Arc<Mutex<HashMap<String, usize>>>,
    digest: String,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leases = lock(&self.leases);
        if let Some(count) = leases.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                leases.remove(&self.digest);
            }
        }
    }
}

/// A blob on its way in. Its file goes with it, unless it was [`Finished`].
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) id: String,
    repository: String,
    path: PathBuf,
    file: File,
    hash: Sha256,
    pub(crate) received: u64,
    touched: Instant,
}

impl Upload {
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
        if format!("sha256:{}", hex(&self.hash.clone().finalize())) != digest {
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
    digest: String,
    upload: Upload,
}

impl Finished {
    /// Moves the file to where blobs are; in the transaction that records it.
    pub(crate) fn move_in(self, endpoint: &Endpoint) -> Result<u64, ApiError> {
        let store = ImageStore::of(endpoint);
        let result = store.move_in(&self.upload.path, &self.digest);
        result.map_err(|error| unwritable(&store.directory, &error))?;
        Ok(self.upload.received)
    }
}

/// Failure of a write to the image store.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> ApiError {
    ApiError::internal(format!(
        "{} cannot be written: {error}; check the space on the disk and the owner and mode of the state directory.",
        path.display()
    ))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "left behind until the next start");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether it is `sha256:` with 64 lower-case hex digits: a digest as our files are named by.
pub(crate) fn is_sha256(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}
