//! A manifest on its way in: what it says of itself, and whether all is there that it names.

use std::collections::BTreeSet;

use chrono::Utc;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde_json::Value;

use super::request::check_digest;
use crate::ecr::image::{INDEXES, Image, MANIFESTS};
use crate::ecr::layer::Layer;
use crate::error::ApiError;
use crate::images::{ImageStore, digest};
use crate::store::Tx;

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new("MANIFEST_INVALID", text)
}

/// A manifest that says of itself nothing wrong.
pub(super) struct Manifest {
    pub(super) image: Image,
    /// Of its blobs, as it says.
    sizes: Vec<u64>,
}

impl Manifest {
    /// Reads what was sent as `content_type` into the repository `name`.
    pub(super) fn read(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Result<Self, ApiError> {
        let media_type = media_type(content_type, bytes)?;
        let broken = |error: oci_spec::OciSpecError| invalid(format!("This is no {media_type}: {error}"));
        let mut sizes = Vec::new();
        let mut image = Image {
            repository: name.to_owned(),
            digest: digest(bytes),
            media_type: media_type.clone(),
            artifact_media_type: None,
            tags: BTreeSet::new(),
            pushed_at: Utc::now(),
            size: 0,
            blobs: Vec::new(),
            manifests: Vec::new(),
            last_pulled_at: None,
        };
        if MANIFESTS.contains(&media_type.as_str()) {
            let manifest = ImageManifest::from_reader(bytes).map_err(broken)?;
            image.artifact_media_type = Some(manifest.config().media_type().to_string());
            image.size = manifest.layers().iter().map(Descriptor::size).sum();
            let blobs = || std::iter::once(manifest.config()).chain(manifest.layers());
            image.blobs = digests(blobs())?;
            sizes = blobs().map(Descriptor::size).collect();
        } else if INDEXES.contains(&media_type.as_str()) {
            let index = ImageIndex::from_reader(bytes).map_err(broken)?;
            image.manifests = digests(index.manifests().iter())?;
        } else {
            return Err(invalid(format!(
                "Manifests of the type '{media_type}' are not supported by the local endpoint; it takes {}.",
                [MANIFESTS, INDEXES].concat().join(", ")
            )));
        }
        Ok(Self { image, sizes })
    }

    /// The image, if all is there that the manifest names.
    pub(super) fn complete(mut self, images: &ImageStore, tx: &Tx<'_>) -> Result<Image, ApiError> {
        let repository = &self.image.repository;
        let missing = |digest: &str| {
            let text = format!("The manifest names {digest}, which is not in the repository '{repository}'.");
            ApiError::new("MANIFEST_BLOB_UNKNOWN", text)
        };
        for (digest, size) in self.image.blobs.iter().zip(self.sizes) {
            let layer = Layer::get(tx, repository, digest)?;
            let layer = layer.filter(|_| images.blob(digest).exists()).ok_or_else(|| missing(digest))?;
            if layer.size != size {
                let text = format!("The manifest says that {digest} has {size} bytes; it has {}.", layer.size);
                return Err(invalid(text));
            }
        }
        let mut size = self.image.size;
        for digest in &self.image.manifests {
            size = size.max(Image::find(tx, repository, digest)?.ok_or_else(|| missing(digest))?.size);
        }
        self.image.size = size;
        Ok(self.image)
    }
}

/// The type by which it was sent, and by which it calls itself if it does.
fn media_type(content_type: Option<&str>, bytes: &[u8]) -> Result<String, ApiError> {
    let json: Value =
        serde_json::from_slice(bytes).map_err(|error| invalid(format!("The manifest is not valid JSON: {error}")))?;
    match (json["mediaType"].as_str(), content_type) {
        (Some(inside), Some(outside)) if inside != outside => {
            Err(invalid(format!("The manifest calls itself {inside}, but was sent as {outside}.")))
        }
        (inside, outside) => Ok(outside.or(inside).unwrap_or_default().to_owned()),
    }
}

fn digests<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Result<Vec<String>, ApiError> {
    descriptors.map(|one| one.digest().to_string()).map(|one| check_digest(&one).map(|()| one)).collect()
}
