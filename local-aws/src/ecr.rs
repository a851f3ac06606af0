//! Elastic Container Registry: repositories. Their images are in the endpoint's image store.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use oci_spec::image::{Descriptor, ImageIndex};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};
use crate::tagging::Tagged;
use crate::wire::decode;

const INVALID: &str = "InvalidParameterException";

/// A repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) settings: RepositorySettings,
}

/// What can be changed of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RepositorySettings {
    pub(crate) tag_mutability: String,
    /// In the API's shape.
    pub(crate) mutability_exclusions: Vec<Value>,
    pub(crate) scan_on_push: bool,
    /// JSON texts.
    pub(crate) lifecycle_policy: Option<String>,
    pub(crate) repository_policy: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Record for Repository {
    const KIND: &'static str = "ecr.repository";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Repository {
    /// The repository of this name.
    pub(crate) fn get(endpoint: &Endpoint, tx: &Tx<'_>, name: &str) -> Result<Self, ApiError> {
        tx.get(name)?.ok_or_else(|| {
            ApiError::new(
                "RepositoryNotFoundException",
                format!(
                    "The repository with name '{name}' does not exist in the registry with id '{}'",
                    endpoint.identity.account_id
                ),
            )
        })
    }

    /// Makes a repository.
    ///
    /// # Errors
    /// RepositoryAlreadyExistsException; a policy that is none.
    pub(crate) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        name: &str,
        settings: RepositorySettings,
    ) -> Result<Self, ApiError> {
        if tx.get::<Self>(name)?.is_some() {
            return Err(ApiError::new(
                "RepositoryAlreadyExistsException",
                format!(
                    "The repository with name '{name}' already exists in the registry with id '{}'",
                    endpoint.identity.account_id
                ),
            ));
        }
        settings.check()?;
        let repository = Self { name: name.to_owned(), created_at: Utc::now(), settings };
        tx.put(&repository)?;
        Ok(repository)
    }

    /// Deletes the repository, with its images only if `force`; one that is gone already is no error.
    ///
    /// # Errors
    /// RepositoryNotEmptyException.
    pub(crate) fn delete(endpoint: &Endpoint, tx: &Tx<'_>, name: &str, force: bool) -> Result<(), ApiError> {
        let Some(repository) = tx.get::<Self>(name)? else { return Ok(()) };
        let images = Images::open(endpoint)?;
        let uri = repository.uri(endpoint);
        if images.any_of(&uri) {
            if !force {
                return Err(ApiError::new(
                    "RepositoryNotEmptyException",
                    format!(
                        "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
                        endpoint.identity.account_id
                    ),
                ));
            }
            images.remove_all_of(&uri)?;
        }
        tx.delete::<Self>(name)?;
        Ok(())
    }

    pub(crate) fn arn(&self, endpoint: &Endpoint) -> String {
        endpoint.arn("ecr", &format!("repository/{}", self.name))
    }

    pub(crate) fn uri(&self, endpoint: &Endpoint) -> String {
        let identity = &endpoint.identity;
        format!("{}.dkr.ecr.{}.amazonaws.com/{}", identity.account_id, identity.region, self.name)
    }
}

impl RepositorySettings {
    /// # Errors
    /// InvalidParameterException for a policy that is none.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let policy = |text: &Option<String>, member: &str| match text {
            Some(text) if !serde_json::from_str::<Value>(text).is_ok_and(|policy| policy[member].is_array()) => {
                Err(ApiError::new(
                    INVALID,
                    format!("Invalid parameter: the policy must be a JSON document with a list '{member}'."),
                ))
            }
            _ => Ok(()),
        };
        policy(&self.lifecycle_policy, "rules")?;
        policy(&self.repository_policy, "Statement")
    }
}

/// The names of the image store's index that belong to repositories: `URI:TAG` or `URI@DIGEST`.
struct Images {
    path: PathBuf,
    index: Option<ImageIndex>,
    // Who puts images there takes it, too: neither loses the other's entries.
    _lock: Option<File>,
}

impl Images {
    fn open(endpoint: &Endpoint) -> Result<Self, ApiError> {
        let directory = endpoint.state_dir.join("images");
        let path = directory.join("index.json");
        let failed = |error: &dyn std::fmt::Display| {
            ApiError::internal(format!("The image store {} cannot be read: {error}", path.display()))
        };
        if !directory.exists() {
            return Ok(Self { path, index: None, _lock: None });
        }
        let lock = OpenOptions::new().append(true).create(true).mode(0o600).open(directory.join(".lock"));
        let lock = lock.and_then(|file| file.lock().map(|()| file)).map_err(|error| failed(&error))?;
        let index = path.exists().then(|| ImageIndex::from_file(&path)).transpose().map_err(|error| failed(&error))?;
        Ok(Self { path, index, _lock: Some(lock) })
    }

    fn any_of(&self, uri: &str) -> bool {
        self.index.as_ref().is_some_and(|index| index.manifests().iter().any(|manifest| is_of(manifest, uri)))
    }

    // Written beside and renamed: a reader sees the old index or the new one.
    fn remove_all_of(self, uri: &str) -> Result<(), ApiError> {
        let Some(mut index) = self.index else { return Ok(()) };
        let kept = index.manifests().iter().filter(|manifest| !is_of(manifest, uri)).cloned().collect();
        index.set_manifests(kept);
        let beside = self.path.with_extension("json.new");
        let failed = |error: &dyn std::fmt::Display| {
            ApiError::internal(format!("The image store {} cannot be written: {error}", self.path.display()))
        };
        index.to_file(&beside).map_err(|error| failed(&error))?;
        std::fs::rename(&beside, &self.path).map_err(|error| failed(&error))
    }
}

fn is_of(manifest: &Descriptor, uri: &str) -> bool {
    let name = manifest.annotations().as_ref().and_then(|all| all.get("org.opencontainers.image.ref.name"));
    name.and_then(|name| name.strip_prefix(uri)).is_some_and(|rest| rest.starts_with([':', '@']))
}

/// One call of the service.
pub(crate) fn call(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeRepositories" => describe_repositories(endpoint, input),
        "GetLifecyclePolicy" => get_lifecycle_policy(endpoint, input),
        "GetRepositoryPolicy" => get_repository_policy(endpoint, input),
        "ListTagsForResource" => list_tags_for_resource(endpoint, input),
        other => Err(ApiError::unknown_operation("ecr", other)),
    }
}

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

fn check_registry(endpoint: &Endpoint, registry_id: Option<&str>) -> Result<(), ApiError> {
    match registry_id {
        Some(other) if other != endpoint.identity.account_id => {
            Err(ApiError::unsupported(format!("The registry {other}")))
        }
        _ => Ok(()),
    }
}

fn describe_repositories(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
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

fn show(endpoint: &Endpoint, repository: &Repository) -> Value {
    let settings = &repository.settings;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double exactly")]
    let created_at = repository.created_at.timestamp_millis() as f64 / 1000.0;
    let mut shown = json!({
        "repositoryArn": repository.arn(endpoint),
        "registryId": endpoint.identity.account_id,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri(endpoint),
        "createdAt": created_at,
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

fn get_lifecycle_policy(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
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

fn get_repository_policy(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
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

fn list_tags_for_resource(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListTagsForResource = decode(INVALID, "ListTagsForResource", input)?;
    let name = input.resource_arn.strip_prefix(&endpoint.arn("ecr", "repository/")).ok_or_else(|| {
        ApiError::new(INVALID, format!("Invalid parameter at 'resourceArn': '{}'", input.resource_arn))
    })?;
    let repository = endpoint.store.read(|tx| Repository::get(endpoint, tx, name))?;
    let tags = &repository.settings.tags;
    Ok(json!({"tags": tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()}))
}

/// Every tagged resource of the service.
pub(crate) fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let repositories = tx.list::<Repository>()?.into_iter().filter(|one| !one.settings.tags.is_empty());
    Ok(repositories.map(|one| Tagged { arn: one.arn(endpoint), tags: one.settings.tags }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> RepositorySettings {
        RepositorySettings {
            tag_mutability: "MUTABLE".into(),
            mutability_exclusions: Vec::new(),
            scan_on_push: false,
            lifecycle_policy: None,
            repository_policy: None,
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn a_repository_with_images_goes_only_by_force_and_takes_its_images_alone() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap();
        let uri =
            endpoint.store.write(|tx| Ok(Repository::create(&endpoint, tx, "r", settings())?.uri(&endpoint))).unwrap();
        let manifest = |name: String| {
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": format!("sha256:{}", "0".repeat(64)),
                "size": 1,
                "annotations": {"org.opencontainers.image.ref.name": name},
            })
        };
        let index =
            json!({"schemaVersion": 2, "manifests": [manifest(format!("{uri}:1")), manifest(format!("{uri}2:1"))]});
        std::fs::create_dir(dir.path().join("images")).unwrap();
        let path = dir.path().join("images/index.json");
        std::fs::write(&path, index.to_string()).unwrap();
        let delete = |force| endpoint.store.write(|tx| Repository::delete(&endpoint, tx, "r", force));
        assert_eq!(delete(false).unwrap_err().code, "RepositoryNotEmptyException");
        delete(true).unwrap();
        let left: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(left["manifests"].as_array().unwrap().len(), 1);
        assert_eq!(left["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], format!("{uri}2:1"));
    }
}
