//! The calls that change a repository's settings: what a person does to one by hand.

use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::{check_registry, invalid};
use super::repository::{Repository, RepositorySettings};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PutImageTagMutability {
    registry_id: Option<String>,
    repository_name: String,
    image_tag_mutability: String,
    #[serde(default)]
    image_tag_mutability_exclusion_filters: Vec<Value>,
}

pub(super) fn put_image_tag_mutability(endpoint: &Endpoint, input: PutImageTagMutability) -> Result<Value, ApiError> {
    let kinds = ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"];
    if !kinds.contains(&input.image_tag_mutability.as_str()) {
        return Err(invalid(format!("Invalid parameter: imageTagMutability is one of {}", kinds.join(", "))));
    }
    let mut answer = change(endpoint, input.registry_id.as_deref(), &input.repository_name, |settings| {
        settings.tag_mutability.clone_from(&input.image_tag_mutability);
        settings.mutability_exclusions = input.image_tag_mutability_exclusion_filters;
    })?;
    answer["imageTagMutability"] = json!(input.image_tag_mutability);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PutImageScanningConfiguration {
    registry_id: Option<String>,
    repository_name: String,
    image_scanning_configuration: ScanningConfiguration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ScanningConfiguration {
    #[serde(default)]
    scan_on_push: bool,
}

pub(super) fn put_image_scanning_configuration(
    endpoint: &Endpoint,
    input: PutImageScanningConfiguration,
) -> Result<Value, ApiError> {
    let scan_on_push = input.image_scanning_configuration.scan_on_push;
    let mut answer = change(endpoint, input.registry_id.as_deref(), &input.repository_name, |settings| {
        settings.scan_on_push = scan_on_push;
    })?;
    answer["imageScanningConfiguration"] = json!({"scanOnPush": scan_on_push});
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PutLifecyclePolicy {
    registry_id: Option<String>,
    repository_name: String,
    lifecycle_policy_text: String,
}

pub(super) fn put_lifecycle_policy(endpoint: &Endpoint, input: PutLifecyclePolicy) -> Result<Value, ApiError> {
    let text = input.lifecycle_policy_text;
    let mut answer = change(endpoint, input.registry_id.as_deref(), &input.repository_name, |settings| {
        settings.lifecycle_policy = Some(text.clone());
    })?;
    answer["lifecyclePolicyText"] = json!(text);
    Ok(answer)
}

fn change(
    endpoint: &Endpoint,
    registry: Option<&str>,
    name: &str,
    change: impl FnOnce(&mut RepositorySettings),
) -> Result<Value, ApiError> {
    check_registry(endpoint, registry)?;
    endpoint.store.write(|tx| {
        let mut repository = Repository::get(endpoint, tx, name)?;
        change(&mut repository.settings);
        repository.settings.check()?;
        tx.put(&repository)
    })?;
    Ok(json!({"registryId": endpoint.identity.account_id, "repositoryName": name}))
}
