//! The calls for repositories.

use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::{bad_token, check_registry, invalid, page_size};
use super::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::paging::page;
use crate::wire::epoch;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DescribeRepositories {
    registry_id: Option<String>,
    repository_names: Option<Vec<String>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct OfRepository {
    registry_id: Option<String>,
    repository_name: String,
}

pub(super) fn describe_repositories(endpoint: &Endpoint, input: &DescribeRepositories) -> Result<Value, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    let Some(names) = &input.repository_names else { return list(endpoint, input) };
    if input.next_token.is_some() || input.max_results.is_some() {
        return Err(invalid("Invalid parameter: nextToken and maxResults cannot be used with repositoryNames"));
    }
    let repositories: Vec<Repository> = endpoint
        .store
        .read(|tx| names.iter().map(|name| Repository::get(endpoint, tx, name)).collect::<Result<_, _>>())?;
    let shown: Vec<Value> = repositories.iter().map(|one| show(endpoint, one)).collect();
    Ok(json!({"repositories": shown}))
}

fn list(endpoint: &Endpoint, input: &DescribeRepositories) -> Result<Value, ApiError> {
    let size = page_size(input.max_results)?;
    let repositories = endpoint.store.read(|tx| tx.list::<Repository>())?;
    let key = |one: &Repository| one.name.clone();
    let (shown, token) = page(repositories, key, false, input.next_token.as_deref(), size, bad_token)?;
    let shown: Vec<Value> = shown.iter().map(|one| show(endpoint, one)).collect();
    let mut output = json!({"repositories": shown});
    if let Some(token) = token {
        output["nextToken"] = json!(token);
    }
    Ok(output)
}

/// A repository as the API shows it.
pub(super) fn show(endpoint: &Endpoint, repository: &Repository) -> Value {
    let settings = &repository.settings;
    let mut shown = json!({
        "repositoryArn": repository.arn(endpoint),
        "registryId": endpoint.identity.account_id,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri(endpoint),
        "createdAt": epoch(repository.created_at),
        "imageTagMutability": settings.tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    });
    if !settings.mutability_exclusions.is_empty() {
        shown["imageTagMutabilityExclusionFilters"] = json!(settings.mutability_exclusions);
    }
    shown
}

fn repository_of(endpoint: &Endpoint, input: &OfRepository) -> Result<Repository, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    endpoint.store.read(|tx| Repository::get(endpoint, tx, &input.repository_name))
}

fn no_policy(endpoint: &Endpoint, kind: &str, repository: &Repository) -> ApiError {
    ApiError::new(
        format!("{kind}PolicyNotFoundException"),
        format!(
            "{kind} policy does not exist for the repository with name '{}' in the registry with id '{}'",
            repository.name, endpoint.identity.account_id
        ),
    )
}

pub(super) fn get_lifecycle_policy(endpoint: &Endpoint, input: &OfRepository) -> Result<Value, ApiError> {
    let repository = repository_of(endpoint, input)?;
    match &repository.settings.lifecycle_policy {
        Some(policy) => Ok(json!({
            "registryId": endpoint.identity.account_id,
            "repositoryName": repository.name,
            "lifecyclePolicyText": policy,
        })),
        None => Err(no_policy(endpoint, "Lifecycle", &repository)),
    }
}

pub(super) fn get_repository_policy(endpoint: &Endpoint, input: &OfRepository) -> Result<Value, ApiError> {
    let repository = repository_of(endpoint, input)?;
    match &repository.settings.repository_policy {
        Some(policy) => Ok(json!({
            "registryId": endpoint.identity.account_id,
            "repositoryName": repository.name,
            "policyText": policy,
        })),
        None => Err(no_policy(endpoint, "Repository", &repository)),
    }
}
