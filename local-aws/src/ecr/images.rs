//! The calls that show images, and how calls name them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::image::{Failure, Image};
use super::repository::{Repository, is_tag};
use super::{INVALID, check_registry, seconds};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::images;
use crate::paging::page;
use crate::store::Tx;
use crate::wire::decode;

/// Images that one call may name.
const MAX_IDS: usize = 100;

/// An image by digest, by tag, or by both.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ImageId {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_tag: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Filter {
    tag_status: Option<String>,
    image_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DescribeImages {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Option<Vec<ImageId>>,
    next_token: Option<String>,
    max_results: Option<usize>,
    filter: Option<Filter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListImages {
    registry_id: Option<String>,
    repository_name: String,
    next_token: Option<String>,
    max_results: Option<usize>,
    filter: Option<Filter>,
}

const NOT_FOUND: Failure = ("ImageNotFound", "Requested image not found");

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, text)
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
            (Some(digest), _) if !images::is_sha256(digest) => {
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

impl Filter {
    /// Whether tagged and untagged images are wanted.
    fn wants(filter: Option<Self>) -> Result<(bool, bool), ApiError> {
        let filter = filter.unwrap_or_default();
        if let Some(other) = filter.image_status.filter(|status| status != "ACTIVE" && status != "ANY") {
            return Err(ApiError::unsupported(format!("The image status {other}: images are never archived, which")));
        }
        match filter.tag_status.as_deref() {
            None | Some("ANY") => Ok((true, true)),
            Some("TAGGED") => Ok((true, false)),
            Some("UNTAGGED") => Ok((false, true)),
            Some(other) => Err(invalid(format!(
                "Invalid parameter at 'filter.tagStatus' failed to satisfy constraint: 'Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]', not {other}"
            ))),
        }
    }
}

fn size_of_page(wanted: Option<usize>) -> Result<usize, ApiError> {
    match wanted.unwrap_or(100) {
        size @ 1..=1000 => Ok(size),
        _ => Err(invalid("Invalid parameter: maxResults must be between 1 and 1000")),
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

pub(super) fn describe_images(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: DescribeImages = decode(INVALID, "DescribeImages", input)?;
    check_registry(endpoint, input.registry_id.as_deref())?;
    let (tagged, untagged) = Filter::wants(input.filter)?;
    if let Some(ids) = &input.image_ids {
        check_ids(ids)?;
        if input.next_token.is_some() || input.max_results.is_some() {
            return Err(invalid("Invalid parameter: nextToken and maxResults cannot be used with imageIds"));
        }
    }
    let images: Vec<Image> = endpoint.store.read(|tx| {
        let repository = Repository::get(endpoint, tx, &input.repository_name)?.name;
        match &input.image_ids {
            Some(ids) => ids
                .iter()
                .map(|id| {
                    id.find(tx, &repository)?.map_err(|failure| not_described(endpoint, &repository, id, failure))
                })
                .collect(),
            None => Image::all_of(tx, &repository),
        }
    })?;
    let wanted = images.into_iter().filter(|one| if one.tags.is_empty() { untagged } else { tagged }).collect();
    let size = if input.image_ids.is_some() { MAX_IDS } else { size_of_page(input.max_results)? };
    let bad_token = || invalid("Invalid parameter: nextToken");
    let (shown, token) =
        page(wanted, |image: &Image| image.digest.clone(), false, input.next_token.as_deref(), size, bad_token)?;
    let shown: Vec<Value> = shown.iter().map(|image| show(endpoint, image)).collect();
    let mut output = json!({"imageDetails": shown});
    if let Some(token) = token {
        output["nextToken"] = json!(token);
    }
    Ok(output)
}

fn not_described(endpoint: &Endpoint, repository: &str, id: &ImageId, (code, reason): Failure) -> ApiError {
    if code != NOT_FOUND.0 && code != "ImageTagDoesNotMatchDigest" {
        return invalid(reason);
    }
    let or_null = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
    ApiError::new(
        "ImageNotFoundException",
        format!(
            "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{repository}' in the registry with id '{}'",
            or_null(&id.image_digest),
            or_null(&id.image_tag),
            endpoint.identity.account_id
        ),
    )
}

fn show(endpoint: &Endpoint, image: &Image) -> Value {
    let mut shown = json!({
        "registryId": endpoint.identity.account_id,
        "repositoryName": image.repository,
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": seconds(image.pushed_at),
        "imageManifestMediaType": image.media_type,
        "imageStatus": "ACTIVE",
    });
    if !image.tags.is_empty() {
        shown["imageTags"] = json!(image.tags);
    }
    if let Some(artifact) = &image.artifact_media_type {
        shown["artifactMediaType"] = json!(artifact);
    }
    if let Some(time) = image.last_pulled_at {
        shown["lastRecordedPullTime"] = json!(seconds(time));
    }
    shown
}

/// One id for each tag; one without a tag for an image that has none.
pub(super) fn ids(image: &Image) -> Vec<ImageId> {
    let digest = Some(image.digest.clone());
    let id = |tag: Option<&String>| ImageId { image_digest: digest.clone(), image_tag: tag.cloned() };
    if image.tags.is_empty() { vec![id(None)] } else { image.tags.iter().map(|tag| id(Some(tag))).collect() }
}

pub(super) fn list_images(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListImages = decode(INVALID, "ListImages", input)?;
    check_registry(endpoint, input.registry_id.as_deref())?;
    let (tagged, untagged) = Filter::wants(input.filter)?;
    let images = endpoint.store.read(|tx| {
        Repository::get(endpoint, tx, &input.repository_name)?;
        Image::all_of(tx, &input.repository_name)
    })?;
    let all: Vec<ImageId> =
        images.iter().filter(|image| if image.tags.is_empty() { untagged } else { tagged }).flat_map(ids).collect();
    let key = |id: &ImageId| (id.image_digest.clone(), id.image_tag.clone());
    let bad_token = || invalid("Invalid parameter: nextToken");
    let size = size_of_page(input.max_results)?;
    let (shown, token) = page(all, key, false, input.next_token.as_deref(), size, bad_token)?;
    let mut output = json!({"imageIds": shown});
    if let Some(token) = token {
        output["nextToken"] = json!(token);
    }
    Ok(output)
}
