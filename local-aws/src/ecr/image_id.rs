//! How calls name images.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::image::{Failure, Image};
use super::refusal::invalid;
use super::repository::is_tag;
use crate::error::ApiError;
use crate::images::is_sha256;
use crate::store::Tx;

/// Images that one call may name.
pub(super) const MAX_IDS: usize = 100;

pub(super) const NOT_FOUND: Failure = ("ImageNotFound", "Requested image not found");

/// An image by digest, by tag, or by both.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ImageId {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_tag: Option<String>,
}

impl ImageId {
    /// # Errors
    /// AWS's code and words for an image that is not there, or that cannot be meant.
    pub(super) fn find(&self, tx: &Tx<'_>, repository: &str) -> Result<Result<Image, Failure>, ApiError> {
        let reference = match (&self.image_digest, &self.image_tag) {
            (None, None) => {
                let reason = "Invalid request parameters: both tag and digest cannot be null";
                return Ok(Err(("MissingDigestAndTag", reason)));
            }
            (Some(digest), _) if !is_sha256(digest) => {
                let reason =
                    "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'";
                return Ok(Err(("InvalidImageDigest", reason)));
            }
            (None, Some(tag)) if !is_tag(tag) => {
                let reason = "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9-_.]{0,127}'";
                return Ok(Err(("InvalidImageTag", reason)));
            }
            (Some(reference), _) | (None, Some(reference)) => reference,
        };
        let Some(image) = Image::find(tx, repository, reference)? else { return Ok(Err(NOT_FOUND)) };
        let tag = self.image_tag.as_ref();
        if tag.is_some_and(|tag| !image.tags.contains(tag)) {
            return Ok(Err(("ImageTagDoesNotMatchDigest", "The image tag does not match the image digest")));
        }
        Ok(Ok(image))
    }

    /// Its entry among the failures of a batch.
    pub(super) fn failed(&self, (code, reason): Failure) -> Value {
        json!({"imageId": self, "failureCode": code, "failureReason": reason})
    }
}

/// # Errors
/// For more images than a call may name, or none.
pub(super) fn check_ids(ids: &[ImageId]) -> Result<(), ApiError> {
    if (1..=MAX_IDS).contains(&ids.len()) {
        Ok(())
    } else {
        Err(invalid(format!("Invalid parameter at 'imageIds': a call names between 1 and {MAX_IDS} images")))
    }
}

/// One id for each tag; one without a tag for an image that has none.
pub(super) fn ids(image: &Image) -> Vec<ImageId> {
    let digest = Some(image.digest.clone());
    let id = |tag: Option<&String>| ImageId { image_digest: digest.clone(), image_tag: tag.cloned() };
    if image.tags.is_empty() { vec![id(None)] } else { image.tags.iter().map(|tag| id(Some(tag))).collect() }
}
