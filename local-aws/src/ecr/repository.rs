//! Repositories: what is recorded of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::image::{self, Image};
use super::layer::Layer;
use super::refusal::invalid;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::wildcard;
use crate::store::{Record, Tx};

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

    /// Deletes the repository, with its images only if `force`; does nothing if it is already gone.
    /// The files of its images go with the next [`super::collection::collect`], which is for after the transaction.
    ///
    /// # Errors
    /// RepositoryNotEmptyException.
    pub(crate) fn delete(endpoint: &Endpoint, tx: &Tx<'_>, name: &str, force: bool) -> Result<(), ApiError> {
        let Some(repository) = tx.get::<Self>(name)? else { return Ok(()) };
        let images = Image::all_of(tx, name)?;
        if !images.is_empty() && !force {
            return Err(ApiError::new(
                "RepositoryNotEmptyException",
                format!(
                    "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
                    endpoint.identity.account_id
                ),
            ));
        }
        for image in images {
            tx.delete::<Image>(&image.id())?;
        }
        Layer::delete_all_of(tx, name)?;
        tx.delete::<Self>(&repository.name)?;
        Ok(())
    }

    pub(crate) fn arn(&self, endpoint: &Endpoint) -> String {
        endpoint.arn("ecr", &format!("repository/{}", self.name))
    }

    pub(crate) fn uri(&self, endpoint: &Endpoint) -> String {
        format!("{}/{}", image::registry(endpoint), self.name)
    }
}

impl RepositorySettings {
    /// Whether a tag that is there may come to name another image.
    pub(crate) fn is_mutable(&self, tag: &str) -> bool {
        let is_excluded = self
            .mutability_exclusions
            .iter()
            .any(|one| one["filter"].as_str().is_some_and(|pattern| wildcard::matches(pattern, tag)));
        self.tag_mutability.starts_with("MUTABLE") != is_excluded
    }

    /// # Errors
    /// InvalidParameterException for a policy that is none.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let policy = |text: &Option<String>, member: &str| match text {
            Some(text) if !serde_json::from_str::<Value>(text).is_ok_and(|policy| policy[member].is_array()) => {
                Err(invalid(format!("Invalid parameter: the policy must be a JSON document with a list '{member}'.")))
            }
            _ => Ok(()),
        };
        policy(&self.lifecycle_policy, "rules")?;
        policy(&self.repository_policy, "Statement")
    }
}

/// Whether a repository can have this name: words of lower-case letters and digits, with `.`, `_`, `__` or dashes
/// between them, in parts divided by `/`.
pub(crate) fn is_name(name: &str) -> bool {
    (2..=256).contains(&name.len()) && name.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let mut separators = part.split(is_word).filter(|separator| !separator.is_empty());
    let allowed = |separator: &str| matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-');
    part.starts_with(is_word) && part.ends_with(is_word) && separators.all(allowed)
}

/// Whether an image can have this tag.
pub(crate) fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}
