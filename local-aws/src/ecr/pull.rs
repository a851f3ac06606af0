//! From an image reference of a task definition to what a task needs to run.

use std::path::PathBuf;
use std::sync::Arc;

use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest};

use super::image::{Image, registry};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::images::{ImageError, ImageStore, Lease, unpack};

/// An image that is ready to run.
#[derive(Debug)]
pub(crate) struct PulledImage {
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
    #[error("{0}")]
    Malformed(#[from] oci_spec::OciSpecError),
    #[error(transparent)]
    Files(#[from] ImageError),
    #[error("{}", .0.message)]
    State(#[from] ApiError),
}

/// Finds `reference` in the registry and unpacks it unless that is done already. `architecture` is Docker's name for
/// what the task runs on. Blocks.
pub(crate) fn pull(endpoint: &Arc<Endpoint>, reference: &str, architecture: &str) -> Result<PulledImage, PullError> {
    let (lease, stored) = find(endpoint, reference, architecture)?;
    if stored.is_index() {
        return Err(ImageError::MediaType(stored.media_type.as_str().into()).into());
    }
    let store = &ImageStore::of(endpoint);
    let manifest = ImageManifest::from_reader(store.read_blob(&stored.digest)?.as_slice())?;
    let config = ImageConfiguration::from_reader(store.read_blob(manifest.config().digest().as_ref())?.as_slice())?;
    let rootfs = store.rootfs(&stored.digest);
    if !rootfs.exists() {
        unpack(store, &manifest, &rootfs, endpoint.max_image_bytes)?;
    }
    Ok(PulledImage { digest: stored.digest, config, rootfs, _lease: lease })
}

/// Found, noted and leased at once: the image cannot go in between.
fn find(endpoint: &Endpoint, reference: &str, architecture: &str) -> Result<(Lease, Image), PullError> {
    let not_found = || PullError::NotFound(reference.to_owned());
    let (repository, name) = split(endpoint, reference).ok_or_else(not_found)?;
    let store = &ImageStore::of(endpoint);
    endpoint.store.write(|tx| {
        let Some(stored) = Image::find(tx, repository, name)? else { return Ok(Err(not_found())) };
        Image::note_pull(tx, repository, &stored.digest)?;
        let chosen = match stored.is_index().then(|| for_platform(store, &stored, architecture)) {
            Some(Ok(digest)) => Image::find(tx, repository, &digest)?.ok_or_else(not_found),
            Some(Err(error)) => Err(error),
            None => Ok(stored),
        };
        Ok(chosen.map(|image| (store.lease(&image.digest), image)))
    })?
}

/// Repository and tag or digest of `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG@DIGEST`, if it is ours.
fn split<'a>(endpoint: &Endpoint, reference: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = reference.strip_prefix(&registry(endpoint))?.strip_prefix('/')?;
    let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
    let (repository, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
    Some((repository, digest.unwrap_or(tag)))
}

/// Digest of the index's manifest for Linux on this architecture.
fn for_platform(store: &ImageStore, index: &Image, architecture: &str) -> Result<String, PullError> {
    let index = ImageIndex::from_reader(store.read_blob(&index.digest)?.as_slice())?;
    let fits = |descriptor: &&Descriptor| {
        descriptor.platform().as_ref().is_some_and(|platform| {
            platform.os().to_string() == "linux" && platform.architecture().to_string() == architecture
        })
    };
    let chosen = index.manifests().iter().find(fits).map(|descriptor| descriptor.digest().to_string());
    chosen.ok_or_else(|| PullError::Platform(format!("linux/{architecture}")))
}
