//! An experiment template: its record, and how it is shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::id::new_id;
use super::refusal::{not_found, quota_exceeded};
use super::spec::Spec;
use super::tag::Tags;
use super::validate;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};
use crate::wire::epoch;

/// Quota "Experiment templates" of an account.
const MAX_TEMPLATES: usize = 500;

/// A template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(super) spec: Spec,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) tags: Tags,
}

impl Record for Template {
    const KIND: &'static str = "fis.template";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Template {
    /// Makes a template.
    pub(crate) fn create(endpoint: &Endpoint, tx: &Tx<'_>, spec: Spec, tags: Tags) -> Result<Self, ApiError> {
        validate::template(endpoint, &spec)?;
        if tx.list::<Self>()?.len() >= MAX_TEMPLATES {
            return Err(quota_exceeded(format!("You have reached the quota Experiment templates ({MAX_TEMPLATES}).")));
        }
        let id = new_id("EXT");
        let arn = endpoint.arn("fis", &format!("experiment-template/{id}"));
        let now = Utc::now();
        let template = Self { id, arn, spec, created_at: now, updated_at: now, tags };
        tx.put(&template)?;
        Ok(template)
    }

    /// Replaces what the template says.
    pub(crate) fn change(endpoint: &Endpoint, tx: &Tx<'_>, id: &str, spec: Spec, tags: Tags) -> Result<(), ApiError> {
        validate::template(endpoint, &spec)?;
        tx.put(&Self { spec, tags, updated_at: Utc::now(), ..find(tx, id)? })
    }

    /// Deletes the template; says whether it was there. Its experiments go on, with the copy that they made of it.
    pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<bool, ApiError> {
        tx.delete::<Self>(id)
    }

    /// What it says.
    pub(crate) fn spec(&self) -> &Spec {
        &self.spec
    }

    pub(crate) fn tags(&self) -> &Tags {
        &self.tags
    }

    pub(super) fn describe(&self) -> Value {
        json!({
            "id": self.id,
            "arn": self.arn,
            "description": self.spec.description,
            "targets": self.spec.targets,
            "actions": self.spec.actions,
            "stopConditions": self.spec.stop_conditions,
            "creationTime": epoch(self.created_at),
            "lastUpdateTime": epoch(self.updated_at),
            "roleArn": self.spec.role_arn,
            "tags": self.tags,
            "experimentOptions": self.spec.experiment_options,
            "targetAccountConfigurationsCount": 0,
        })
    }

    pub(super) fn summary(&self) -> Value {
        json!({
            "id": self.id,
            "arn": self.arn,
            "description": self.spec.description,
            "creationTime": epoch(self.created_at),
            "lastUpdateTime": epoch(self.updated_at),
            "tags": self.tags,
        })
    }
}

/// The template of this id.
pub(super) fn find(tx: &Tx<'_>, id: &str) -> Result<Template, ApiError> {
    tx.get(id)?.ok_or_else(|| not_found(format!("Experiment template {id} not found.")))
}
