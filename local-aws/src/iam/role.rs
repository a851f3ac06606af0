//! Roles and their policies.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::managed;
use super::policy::{Document, Kind};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::identity::random_text;
use crate::store::{Record, Tx};

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) role_id: String,
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) max_session_duration: i64,
    pub(crate) description: Option<String>,
    /// JSON text, as all documents below.
    pub(crate) trust_policy: String,
    /// Inline policies by name.
    pub(crate) policies: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(crate) attached: BTreeSet<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Record for Role {
    const KIND: &'static str = "iam.role";
    // Role names are unique without regard to case.
    fn id(&self) -> String {
        self.name.to_lowercase()
    }
}

/// What a person may choose of a role.
pub(crate) struct Settings {
    pub(crate) trust_policy: Value,
    pub(crate) description: Option<String>,
    pub(crate) max_session_duration: i64,
    pub(crate) attached: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Role {
    /// The role of this name.
    ///
    /// # Errors
    /// NoSuchEntity.
    pub(crate) fn named(tx: &Tx<'_>, name: &str) -> Result<Self, ApiError> {
        tx.get::<Self>(&name.to_lowercase())?
            .filter(|role| role.name == name)
            .ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
    }

    /// The role of this ARN, if it is there.
    pub(crate) fn with_arn(tx: &Tx<'_>, arn: &str) -> Result<Option<Self>, ApiError> {
        let name = arn.rsplit('/').next().unwrap_or_default().to_lowercase();
        Ok(tx.get::<Self>(&name)?.filter(|role| role.arn == arn))
    }

    /// Makes a role without inline policies.
    ///
    /// # Errors
    /// EntityAlreadyExists, MalformedPolicyDocument, NoSuchEntity for a managed policy.
    pub(crate) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        name: &str,
        path: &str,
        settings: Settings,
    ) -> Result<Self, ApiError> {
        if tx.get::<Self>(&name.to_lowercase())?.is_some() {
            return Err(
                ApiError::new("EntityAlreadyExists", format!("Role with name {name} already exists.")).status(409)
            );
        }
        let mut role = Self {
            name: name.to_owned(),
            role_id: format!("AROA{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)),
            arn: format!("arn:aws:iam::{}:role{path}{name}", endpoint.identity.account_id),
            path: path.to_owned(),
            created_at: Utc::now(),
            max_session_duration: 0,
            description: None,
            trust_policy: String::new(),
            policies: BTreeMap::new(),
            attached: BTreeSet::new(),
            tags: BTreeMap::new(),
        };
        role.apply(settings)?;
        tx.put(&role)?;
        Ok(role)
    }

    /// Takes over all settings; nothing is written.
    ///
    /// # Errors
    /// As [`Role::create`].
    pub(crate) fn apply(&mut self, settings: Settings) -> Result<(), ApiError> {
        Document::parse(&settings.trust_policy, Kind::Trust)?;
        for arn in &settings.attached {
            managed::document(arn)?;
        }
        self.trust_policy = document_text(&settings.trust_policy);
        self.description = settings.description;
        self.max_session_duration = settings.max_session_duration;
        self.attached = settings.attached.into_iter().collect();
        self.tags = settings.tags;
        Ok(())
    }

    /// Adds or replaces an inline policy; nothing is written.
    ///
    /// # Errors
    /// MalformedPolicyDocument.
    pub(crate) fn put_policy(&mut self, name: &str, document: &Value) -> Result<(), ApiError> {
        Document::parse(document, Kind::Identity)?;
        self.policies.insert(name.to_owned(), document_text(document));
        Ok(())
    }

    /// Deletes the role.
    ///
    /// # Errors
    /// DeleteConflict while it has policies.
    pub(crate) fn delete(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        let conflict = |message: &str| Err(ApiError::new("DeleteConflict", message).status(409));
        if !self.attached.is_empty() {
            return conflict("Cannot delete entity, must detach all policies first.");
        }
        if !self.policies.is_empty() {
            return conflict("Cannot delete entity, must delete policies first.");
        }
        tx.delete::<Self>(&self.id())?;
        Ok(())
    }

    /// All documents that say what the role may do, as far as they are known here.
    pub(super) fn identity_policies(&self) -> Result<Vec<Document>, ApiError> {
        let inline = self.policies.values().map(|text| Document::stored(text, Kind::Identity).map(Some));
        let all = inline.chain(self.attached.iter().map(|arn| managed::document(arn)));
        all.filter_map(Result::transpose).collect()
    }

    /// The managed policies that it holds and whose statements are not known here.
    pub(super) fn unknown_policies(&self) -> Result<Vec<&str>, ApiError> {
        let mut unknown = Vec::new();
        for arn in &self.attached {
            if managed::document(arn)?.is_none() {
                unknown.push(arn.as_str());
            }
        }
        Ok(unknown)
    }
}

/// 404, in IAM's code.
pub(super) fn no_such_entity(message: impl Into<String>) -> ApiError {
    ApiError::new("NoSuchEntity", message).status(404)
}

/// CloudFormation takes a document as an object or as its JSON text.
fn document_text(document: &Value) -> String {
    match document {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
