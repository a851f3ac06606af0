//! A function: its record.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::event_invoke_config::EventInvokeConfig;
use super::refusal::conflict;
use super::settings::Settings;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Record;

/// A function of image type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) settings: Settings,
    pub(crate) code: Code,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) reserved_concurrency: Option<u32>,
    /// The statements of its policy.
    pub(crate) statements: Vec<Value>,
    pub(crate) event_invoke_config: Option<EventInvokeConfig>,
    pub(super) last_modified: DateTime<Utc>,
    pub(super) revision_id: String,
    /// Another one, whenever what runs in its environments changes.
    pub(super) generation: String,
    /// Until then it is Pending.
    pub(super) ready_at: Option<DateTime<Utc>>,
    /// Until then its last update is in progress.
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// What it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// As it was asked for.
    pub(crate) image_uri: String,
    /// With the digest that it had then.
    pub(crate) resolved_image_uri: String,
    /// `sha256:...`
    pub(crate) digest: String,
}

impl Record for Function {
    const KIND: &'static str = "lambda.function";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Function {
    pub(super) fn arn_of(endpoint: &Endpoint, name: &str) -> String {
        endpoint.arn("lambda", &format!("function:{name}"))
    }

    /// Notes that its configuration has changed.
    pub(super) fn touch(&mut self) {
        self.last_modified = Utc::now();
        self.revision_id = Uuid::new_v4().to_string();
    }

    /// Notes that its environments are to be others.
    pub(super) fn renew(&mut self, updated_at: Option<DateTime<Utc>>) {
        self.touch();
        self.generation = Uuid::new_v4().to_string();
        self.updated_at = updated_at;
    }

    pub(super) fn is_pending(&self) -> bool {
        self.ready_at.is_some_and(|time| time > Utc::now())
    }

    pub(super) fn is_updating(&self) -> bool {
        self.updated_at.is_some_and(|time| time > Utc::now())
    }

    /// Refuses a change while another is under way.
    pub(super) fn check_settled(&self) -> Result<(), ApiError> {
        if self.is_pending() {
            return Err(self.not_active());
        }
        if self.is_updating() {
            return Err(conflict(format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {}",
                self.arn
            )));
        }
        Ok(())
    }

    pub(super) fn not_active(&self) -> ApiError {
        conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        )
    }

    pub(super) fn maximum_retry_attempts(&self) -> u32 {
        EventInvokeConfig::retry_attempts(self.event_invoke_config.as_ref())
    }

    /// In seconds.
    pub(super) fn maximum_event_age(&self) -> u32 {
        EventInvokeConfig::event_age(self.event_invoke_config.as_ref())
    }

    /// Its policy, if it has one.
    pub(crate) fn policy(&self) -> Option<Value> {
        let policy = || serde_json::json!({"Version": "2012-10-17", "Id": "default", "Statement": self.statements});
        (!self.statements.is_empty()).then(policy)
    }
}
