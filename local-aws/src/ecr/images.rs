//! The calls that show images.

use serde::Deserialize;
use serde_json::{Value, json};

use super::image::{Failure, Image};
use super::image_id::{ImageId, MAX_IDS, NOT_FOUND, check_ids, ids};
use super::refusal::{bad_token, check_registry, invalid, page_size};
use super::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::paging::page;
use crate::wire::epoch;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Filter {
    tag_status: Option<String>,
    image_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DescribeImages {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Option<Vec<ImageId>>,
    next_token: Option<String>,
    max_results: Option<usize>,
    filter: Option<Filter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListImages {
    registry_id: Option<String>,
    repository_name: String,
    next_token: Option<String>,
    max_results: Option<usize>,
    filter: Option<Filter>,
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

pub(super) fn describe_images(endpoint: &Endpoint, input: DescribeImages) -> Result<Value, ApiError> {
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
    let size = if input.image_ids.is_some() { MAX_IDS } else { page_size(input.max_results)? };
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
        "imagePushedAt": epoch(image.pushed_at),
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
        shown["lastRecordedPullTime"] = json!(epoch(time));
    }
    shown
}

pub(super) fn list_images(endpoint: &Endpoint, input: ListImages) -> Result<Value, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    let (tagged, untagged) = Filter::wants(input.filter)?;
    let images = endpoint.store.read(|tx| {
        Repository::get(endpoint, tx, &input.repository_name)?;
        Image::all_of(tx, &input.repository_name)
    })?;
    let all: Vec<ImageId> =
        images.iter().filter(|image| if image.tags.is_empty() { untagged } else { tagged }).flat_map(ids).collect();
    let key = |id: &ImageId| (id.image_digest.clone(), id.image_tag.clone());
    let size = page_size(input.max_results)?;
    let (shown, token) = page(all, key, false, input.next_token.as_deref(), size, bad_token)?;
    let mut output = json!({"imageIds": shown});
    if let Some(token) = token {
        output["nextToken"] = json!(token);
    }
    Ok(output)
}
