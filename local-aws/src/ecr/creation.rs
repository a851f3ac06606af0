//! Repositories made and unmade by the API. The lab's own come by CloudFormation.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::collection::collect;
use super::refusal::{check_registry, invalid};
use super::repositories::show;
use super::repository::{Repository, RepositorySettings, is_name};
use super::tags::with;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreateRepository {
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
pub(super) struct DeleteRepository {
    registry_id: Option<String>,
    repository_name: String,
    #[serde(default)]
    force: bool,
}

fn violated(member: &str, constraint: &str) -> ApiError {
    invalid(format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"))
}

pub(super) fn create_repository(endpoint: &Endpoint, input: CreateRepository) -> Result<Value, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    if !is_name(&input.repository_name) {
        let pattern = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";
        return Err(violated("repositoryName", &format!("must satisfy regular expression '{pattern}'")));
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
            return Err(violated("imageTagMutability", &format!("Member must satisfy enum value set: {values}")));
        }
    };
    if takes_exclusions == exclusions.is_empty() || exclusions.iter().any(|one| one.filter_type != "WILDCARD") {
        let constraint = "filters of the type WILDCARD, with a mutability _WITH_EXCLUSION and only with that";
        return Err(violated("imageTagMutabilityExclusionFilters", constraint));
    }
    Ok(wanted)
}

pub(super) fn delete_repository(endpoint: &Arc<Endpoint>, input: DeleteRepository) -> Result<Value, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    let deleted = endpoint.store.write(|tx| {
        let repository = Repository::get(endpoint, tx, &input.repository_name)?;
        Repository::delete(endpoint, tx, &repository.name, input.force)?;
        Ok(repository)
    })?;
    collect(endpoint);
    Ok(json!({"repository": show(endpoint, &deleted)}))
}
