//! Repositories made and unmade by the API, and their tags. The lab's own come by CloudFormation.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::repositories::{named_by_arn, show};
use super::repository::{Repository, RepositorySettings, is_name};
use super::{INVALID, check_registry};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::images;
use crate::wire::decode;

/// As AWS has it.
const MAX_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateRepository {
    registry_id: Option<String>,
    repository_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    image_tag_mutability: Option<String>,
    #[serde(default)]
    image_tag_mutability_exclusion_filters: Vec<ExclusionFilter>,
    image_scanning_configuration: Option<ImageScanningConfiguration>,
    encryption_configuration: Option<EncryptionConfiguration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Value", default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExclusionFilter {
    filter_type: String,
    filter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ImageScanningConfiguration {
    #[serde(default)]
    scan_on_push: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EncryptionConfiguration {
    encryption_type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeleteRepository {
    registry_id: Option<String>,
    repository_name: String,
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TagResource {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

fn invalid(member: &str, constraint: &str) -> ApiError {
    ApiError::new(INVALID, format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"))
}

pub(super) fn create_repository(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: CreateRepository = decode(INVALID, "CreateRepository", input)?;
    check_registry(endpoint, input.registry_id.as_deref())?;
    if !is_name(&input.repository_name) {
        let pattern = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";
        return Err(invalid("repositoryName", &format!("must satisfy regular expression '{pattern}'")));
    }
    let encryption = input.encryption_configuration.map(|one| one.encryption_type);
    if let Some(other) = encryption.filter(|kind| kind != "AES256") {
        return Err(ApiError::unsupported(format!("The encryption {other} of a repository")));
    }
    let settings = RepositorySettings {
        tag_mutability: mutability(input.image_tag_mutability, &input.image_tag_mutability_exclusion_filters)?,
        mutability_exclusions: input
            .image_tag_mutability_exclusion_filters
            .iter()
            .map(|one| json!({"filterType": one.filter_type, "filter": one.filter}))
            .collect(),
        scan_on_push: input.image_scanning_configuration.is_some_and(|one| one.scan_on_push),
        lifecycle_policy: None,
        repository_policy: None,
        tags: with(BTreeMap::new(), input.tags)?,
    };
    let made = endpoint.store.write(|tx| Repository::create(endpoint, tx, &input.repository_name, settings))?;
    Ok(json!({"repository": show(endpoint, &made)}))
}

fn mutability(wanted: Option<String>, exclusions: &[ExclusionFilter]) -> Result<String, ApiError> {
    let wanted = wanted.unwrap_or_else(|| "MUTABLE".to_owned());
    let takes_exclusions = match wanted.as_str() {
        "MUTABLE" | "IMMUTABLE" => false,
        "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION" => true,
        _ => {
            let values = "[MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]";
            return Err(invalid("imageTagMutability", &format!("Member must satisfy enum value set: {values}")));
        }
    };
    if takes_exclusions == exclusions.is_empty() || exclusions.iter().any(|one| one.filter_type != "WILDCARD") {
        let constraint = "filters of the type WILDCARD, with a mutability _WITH_EXCLUSION and only with that";
        return Err(invalid("imageTagMutabilityExclusionFilters", constraint));
    }
    Ok(wanted)
}

/// The tags with those of `more` in and over them.
fn with(mut tags: BTreeMap<String, String>, more: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    for tag in more {
        if tag.key.is_empty() || tag.key.len() > 128 || tag.value.len() > 256 || tag.key.starts_with("aws:") {
            let text = format!("Invalid parameter: the tag '{}' has a key or value that AWS does not take.", tag.key);
            return Err(ApiError::new("InvalidTagParameterException", text));
        }
        tags.insert(tag.key, tag.value);
    }
    if tags.len() > MAX_TAGS {
        let text = format!("A repository has at most {MAX_TAGS} tags.");
        return Err(ApiError::new("TooManyTagsException", text));
    }
    Ok(tags)
}

pub(super) fn delete_repository(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: DeleteRepository = decode(INVALID, "DeleteRepository", input)?;
    check_registry(endpoint, input.registry_id.as_deref())?;
    let deleted = endpoint.store.write(|tx| {
        let repository = Repository::get(endpoint, tx, &input.repository_name)?;
        Repository::delete(endpoint, tx, &repository.name, input.force)?;
        Ok(repository)
    })?;
    images::collect(endpoint);
    Ok(json!({"repository": show(endpoint, &deleted)}))
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: TagResource = decode(INVALID, "TagResource", input)?;
    endpoint.store.write(|tx| {
        let mut repository = named_by_arn(endpoint, tx, &input.resource_arn)?;
        repository.settings.tags = with(std::mem::take(&mut repository.settings.tags), input.tags)?;
        tx.put(&repository)
    })?;
    Ok(json!({}))
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: UntagResource = decode(INVALID, "UntagResource", input)?;
    endpoint.store.write(|tx| {
        let mut repository = named_by_arn(endpoint, tx, &input.resource_arn)?;
        repository.settings.tags.retain(|key, _| !input.tag_keys.contains(key));
        tx.put(&repository)
    })?;
    Ok(json!({}))
}
