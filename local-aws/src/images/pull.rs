//! From an image reference of a task definition to what a task needs to run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType};
use sha2::{Digest, Sha256};

use super::store::{ImageStore, Lease, hex};
use super::unpack::unpack;
use crate::ecr::image::{self, Image as Stored};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// An image that is ready to run.
#[derive(Debug)]
pub(crate) struct Image {
    /// Of its manifest, `sha256:...`; an index's for this platform.
    pub(crate) digest: String,
    pub(crate) config: ImageConfiguration,
    /// Its unpacked file system.
    pub(crate) rootfs: PathBuf,
    /// Keeps the file system until the task's record names the image.
    _lease: Lease,
}

/// Why an image cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    #[error("failed to resolve ref {0}: {0}: not found")]
    NotFound(String),
    #[error("image Manifest does not contain descriptor matching platform '{0}'")]
    Platform(String),
    #[error("failed to copy: blob {0} does not have the digest that its name says")]
    Digest(String),
    #[error("{0} is not supported by the local endpoint")]
    MediaType(MediaType),
    #[error("{0}")]
    Malformed(#[from] oci_spec::OciSpecError),
    #[error("failed to extract layer: {0}")]
    Layer(String),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{}", .0.message)]
    State(#[from] ApiError),
}

impl PullError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}

/// Finds `reference` in the registry and unpacks it unless that is done already. `architecture` is Docker's name for
/// what the task runs on. Blocks.
pub(crate) fn pull(endpoint: &Arc<Endpoint>, reference: &str, architecture: &str) -> Result<Image, PullError> {
    let not_found = || PullError::NotFound(reference.to_owned());
    let (repository, name) = split(endpoint, reference).ok_or_else(not_found)?;
    let store = &ImageStore::of(endpoint);
    // Found, noted and leased at once: the image cannot go in between.
    let found = endpoint.store.write(|tx| {
        let Some(stored) = Stored::find(tx, repository, name)? else { return Ok(Err(not_found())) };
        Stored::note_pull(tx, repository, &stored.digest)?;
        let chosen = match stored.is_index().then(|| for_platform(store, &stored, architecture)) {
            Some(Ok(digest)) => Stored::find(tx, repository, &digest)?.ok_or_else(not_found),
            Some(Err(error)) => Err(error),
            None => Ok(stored),
        };
        Ok(chosen.map(|image| (store.lease(&image.digest), image)))
    })?;
    let (lease, stored) = found?;
    if stored.is_index() {
        return Err(PullError::MediaType(stored.media_type.as_str().into()));
    }
    let manifest = ImageManifest::from_reader(read(store, &stored.digest)?.as_slice())?;
    let config = ImageConfiguration::from_reader(read(store, manifest.config().digest().as_ref())?.as_slice())?;
    let rootfs = store.rootfs(&stored.digest);
    if !rootfs.exists() {
        unpack(store, &manifest, &rootfs)?;
    }
    Ok(Image { digest: stored.digest, config, rootfs, _lease: lease })
}

/// Repository and tag or digest of `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG@DIGEST`, if it is ours.
fn split<'a>(endpoint: &Endpoint, reference: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = reference.strip_prefix(&image::registry(endpoint))?.strip_prefix('/')?;
    let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
    let (repository, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
    Some((repository, digest.unwrap_or(tag)))
}

/// Digest of the index's manifest for Linux on this architecture.
fn for_platform(store: &ImageStore, index: &Stored, architecture: &str) -> Result<String, PullError> {
    let index = ImageIndex::from_reader(read(store, &index.digest)?.as_slice())?;
    let fits = |descriptor: &&Descriptor| {
        descriptor.platform().as_ref().is_some_and(|platform| {
            platform.os().to_string() == "linux" && platform.architecture().to_string() == architecture
        })
    };
    let chosen = index.manifests().iter().find(fits).map(|descriptor| descriptor.digest().to_string());
    chosen.ok_or_else(|| PullError::Platform(format!("linux/{architecture}")))
}

/// A small blob, verified.
fn read(store: &ImageStore, digest: &str) -> Result<Vec<u8>, PullError> {
    let path = store.blob(digest);
    let bytes = std::fs::read(&path).map_err(PullError::file(&path))?;
    if format!("sha256:{}", hex(&Sha256::digest(&bytes))) == digest {
        Ok(bytes)
    } else {
        Err(PullError::Digest(digest.to_owned()))
    }
}
