//! The calls for repositories.

use serde::Deserialize;
use serde_json::{Value, json};

use super::repository::Repository;
use super::{INVALID, check_registry, seconds};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::decode;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DescribeRepositories {
    registry_id: Option<String>,
    repository_names: Option<Vec<String>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OfRepository {
    registry_id: Option<String>,
    repository_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListTagsForResource {
    resource_arn: String,
}

pub(super) fn describe_repositories(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: DescribeRepositories = decode(INVALID, "DescribeRepositories", input)?;
    check_registry(endpoint, input.registry_id.as_deref())?;
    let repositories = endpoint.store.read(|tx| match &input.repository_names {
        Some(names) => names.iter().map(|name| Repository::get(endpoint, tx, name)).collect(),
        None => tx.list::<Repository>(),
    })?;
    let start = input.next_token.map_or(Ok(0), |token| {
        token.parse::<usize>().map_err(|_| ApiError::new(INVALID, "Invalid parameter: nextToken"))
    })?;
    let size = input.max_results.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(ApiError::new(INVALID, "Invalid parameter: maxResults must be between 1 and 1000"));
    }
    let shown: Vec<Value> = repositories.iter().skip(start).take(size).map(|one| show(endpoint, one)).collect();
    let mut output = json!({"repositories": shown});
    if repositories.len() > start + size {
        output["nextToken"] = json!((start + size).to_string());
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
        "createdAt": seconds(repository.created_at),
        "imageTagMutability": settings.tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    });
    if !settings.mutability_exclusions.is_empty() {
        shown["imageTagMutabilityExclusionFilters"] = json!(settings.mutability_exclusions);
    }
    shown
}

fn repository_of(endpoint: &Endpoint, operation: &str, input: Value) -> Result<Repository, ApiError> {
    let input: OfRepository = decode(INVALID, operation, input)?;
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

pub(super) fn get_lifecycle_policy(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let repository = repository_of(endpoint, "GetLifecyclePolicy", input)?;
    match &repository.settings.lifecycle_policy {
        Some(policy) => Ok(json!({
            "registryId": endpoint.identity.account_id,
            "repositoryName": repository.name,
            "lifecyclePolicyText": policy,
        })),
        None => Err(no_policy(endpoint, "Lifecycle", &repository)),
    }
}

pub(super) fn get_repository_policy(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let repository = repository_of(endpoint, "GetRepositoryPolicy", input)?;
    match &repository.settings.repository_policy {
        Some(policy) => Ok(json!({
            "registryId": endpoint.identity.account_id,
            "repositoryName": repository.name,
            "policyText": policy,
        })),
        None => Err(no_policy(endpoint, "Repository", &repository)),
    }
}

pub(super) fn list_tags_for_resource(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListTagsForResource = decode(INVALID, "ListTagsForResource", input)?;
    let repository = endpoint.store.read(|tx| named_by_arn(endpoint, tx, &input.resource_arn))?;
    let tags = &repository.settings.tags;
    Ok(json!({"tags": tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()}))
}

/// The repository of this ARN.
pub(super) fn named_by_arn(endpoint: &Endpoint, tx: &Tx<'_>, arn: &str) -> Result<Repository, ApiError> {
    let name = arn
        .strip_prefix(&endpoint.arn("ecr", "repository/"))
        .ok_or_else(|| ApiError::new(INVALID, format!("Invalid parameter at 'resourceArn': '{arn}'")))?;
    Repository::get(endpoint, tx, name)
}
