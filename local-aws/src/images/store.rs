//! Where the files are, which uploads are under way, and which file systems somebody works with.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::digest::digest;
use super::error::{ImageError, unwritable};
use super::upload::{Finished, Upload, remove};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// How long an upload may lie untouched before its file is deleted.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Largest manifest or configuration. Every client has such a limit: they are read into memory.
const MAX_DOCUMENT: u64 = 4 * 1024 * 1024;

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
    pub(crate) fn rootfs_directory(&self) -> &Path {
        &self.rootfs
    }

    /// One collection at a time.
    pub(crate) fn one_collection(&self) -> MutexGuard<'_, ()> {
        lock(&self.collecting)
    }

    /// Whether somebody works with the file system of the image.
    pub(crate) fn is_leased(&self, digest: &str) -> bool {
        lock(&self.leases).contains_key(digest)
    }

    /// The file of a blob. `digest` must have passed [`super::digest::is_sha256`] or the OCI types.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }

    /// The file system of an image.
    pub(crate) fn rootfs(&self, digest: &str) -> PathBuf {
        self.rootfs.join(digest.trim_start_matches("sha256:"))
    }

    /// A small blob, verified.
    pub(crate) fn read_blob(&self, name: &str) -> Result<Vec<u8>, ImageError> {
        let path = self.blob(name);
        if fs::metadata(&path).map_err(ImageError::file(&path))?.len() > MAX_DOCUMENT {
            return Err(ImageError::Document(name.to_owned(), MAX_DOCUMENT));
        }
        let bytes = fs::read(&path).map_err(ImageError::file(&path))?;
        if digest(&bytes) == name { Ok(bytes) } else { Err(ImageError::Digest(name.to_owned())) }
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
    pub(crate) fn begin_upload(&self, repository: &str) -> io::Result<Upload> {
        lock(&self.uploads).retain(|_, upload| upload.touched.elapsed() < ABANDONED);
        Upload::begin(repository, self.new_file()?)
    }

    /// Moves a finished upload to where blobs are, in the transaction that records it; gives its size.
    pub(crate) fn take_in(&self, finished: &Finished) -> Result<u64, ApiError> {
        let result = self.move_in(finished.path(), &finished.digest);
        result.map_err(|error| unwritable(&self.directory, &error))?;
        Ok(finished.size())
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
    pub(crate) fn give_up_uploads_but_to(&self, repositories: &HashSet<String>) {
        lock(&self.uploads).retain(|_, upload| repositories.contains(&upload.repository));
    }

    /// Keeps the file system of the image until the lease is dropped. To be taken in the transaction that finds the
    /// image.
    pub(crate) fn lease(&self, digest: &str) -> Lease {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
