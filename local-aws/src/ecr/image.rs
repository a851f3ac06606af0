//! What the repositories hold: images, which are manifests and their tags.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::layer::Layer;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// Media types of manifests of images.
pub(crate) const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// Media types of manifests that list others.
pub(crate) const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/// Code and reason of what a batch of ECR could not do.
pub(crate) type Failure = (&'static str, &'static str);

/// The registry's name, as it stands before the repository in image references.
pub(crate) fn registry(endpoint: &Endpoint) -> String {
    format!("{}.dkr.ecr.{}.amazonaws.com", endpoint.identity.account_id, endpoint.identity.region)
}

/// A manifest in a repository: of an image, or an index of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) repository: String,
    /// Of the manifest.
    pub(crate) digest: String,
    pub(crate) media_type: String,
    /// Media type of what the manifest calls its configuration.
    pub(crate) artifact_media_type: Option<String>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) pushed_at: DateTime<Utc>,
    /// Of the compressed layers; of an index, the largest of its images.
    pub(crate) size: u64,
    /// Configuration and layers.
    pub(crate) blobs: Vec<String>,
    /// Of an index: the digests of its images.
    pub(crate) manifests: Vec<String>,
    pub(crate) last_pulled_at: Option<DateTime<Utc>>,
}

impl Record for Image {
    const KIND: &'static str = "ecr.image";
    fn id(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

impl Image {
    /// The images of a repository.
    pub(crate) fn all_of(tx: &Tx<'_>, repository: &str) -> Result<Vec<Self>, ApiError> {
        tx.list_prefix(&format!("{repository}@"))
    }

    /// The image of this tag or digest.
    pub(crate) fn find(tx: &Tx<'_>, repository: &str, reference: &str) -> Result<Option<Self>, ApiError> {
        if reference.contains(':') {
            return tx.get(&format!("{repository}@{reference}"));
        }
        Ok(Self::all_of(tx, repository)?.into_iter().find(|image| image.tags.contains(reference)))
    }

    /// Whether any repository holds it.
    pub(crate) fn is_kept(tx: &Tx<'_>, digest: &str) -> Result<bool, ApiError> {
        Ok(tx.list::<Self>()?.iter().any(|image| image.digest == digest))
    }

    /// Whether its manifest is a list of manifests.
    pub(crate) fn is_index(&self) -> bool {
        INDEXES.contains(&self.media_type.as_str())
    }

    /// Records that it was pulled.
    pub(crate) fn note_pull(tx: &Tx<'_>, repository: &str, digest: &str) -> Result<(), ApiError> {
        let Some(mut image) = Self::find(tx, repository, digest)? else { return Ok(()) };
        image.last_pulled_at = Some(Utc::now());
        tx.put(&image)
    }

    /// Adds it to its repository, or another tag to the one that is there. `is_mutable` says of a tag whether it may
    /// move from one image to another.
    ///
    /// # Errors
    /// ImageTagAlreadyExistsException for a tag that cannot be moved.
    pub(crate) fn push(tx: &Tx<'_>, is_mutable: impl Fn(&str) -> bool, mut pushed: Self) -> Result<(), ApiError> {
        for tag in &pushed.tags {
            let Some(mut bearer) = Self::find(tx, &pushed.repository, tag)? else { continue };
            if bearer.digest == pushed.digest {
                continue;
            }
            if !is_mutable(tag) {
                return Err(ApiError::new(
                    "ImageTagAlreadyExistsException",
                    format!(
                        "The image tag '{tag}' already exists in the '{}' repository and cannot be overwritten because the tag is immutable.",
                        pushed.repository
                    ),
                ));
            }
            bearer.tags.remove(tag);
            tx.put(&bearer)?;
        }
        if let Some(known) = tx.get::<Self>(&pushed.id())? {
            pushed.tags.extend(known.tags);
            (pushed.pushed_at, pushed.last_pulled_at) = (known.pushed_at, known.last_pulled_at);
        }
        for digest in &pushed.blobs {
            Layer::settle(tx, &pushed.repository, digest)?;
        }
        tx.put(&pushed)
    }

    /// Takes the image away, or `tag` alone while the image has another one; gives what has gone.
    ///
    /// # Errors
    /// AWS's code and reason when an index needs it.
    pub(crate) fn remove(mut self, tx: &Tx<'_>, tag: Option<&str>) -> Result<Result<Self, Failure>, ApiError> {
        if let Some(tag) = tag.filter(|_| self.tags.len() > 1) {
            let mut gone = self.clone();
            gone.tags.retain(|one| one == tag);
            self.tags.remove(tag);
            tx.put(&self)?;
            return Ok(Ok(gone));
        }
        let is_listed = Self::all_of(tx, &self.repository)?.iter().any(|one| one.manifests.contains(&self.digest));
        if is_listed {
            let reason = "Requested image referenced by manifest list";
            return Ok(Err(("ImageReferencedByManifestList", reason)));
        }
        self.delete(tx)?;
        Ok(Ok(self))
    }

    /// Takes it out of its repository, with the layers that no other image there has and no push relies on.
    ///
    /// The files go with the next [`super::collection::collect`].
    fn delete(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        tx.delete::<Self>(&self.id())?;
        let others = Self::all_of(tx, &self.repository)?;
        for digest in &self.blobs {
            let is_shared = others.iter().any(|other| other.blobs.contains(digest));
            let layer = Layer::get(tx, &self.repository, digest)?;
            if let Some(layer) = layer.filter(|layer| !is_shared && !layer.awaits_manifest()) {
                tx.delete::<Layer>(&layer.id())?;
            }
        }
        Ok(())
    }
}
