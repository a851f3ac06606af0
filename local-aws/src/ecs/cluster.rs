//! A cluster: its record, and how requests name it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::capacity::Capacity;
use super::refusal::invalid;
use super::tag::Tags;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// What is meant when a request names no cluster.
pub(super) const DEFAULT: &str = "default";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) settings: Vec<Setting>,
    pub(crate) capacity: Capacity,
    pub(crate) tags: Tags,
    /// A deleted cluster stays to be seen for a while, INACTIVE.
    pub(super) deleted_at: Option<DateTime<Utc>>,
}

impl Record for Cluster {
    const KIND: &'static str = "ecs.cluster";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// The only setting that ECS has is `containerInsights`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    /// What a cluster is made with.
    pub(crate) fn validated(settings: Vec<Self>) -> Result<Vec<Self>, ApiError> {
        for setting in &settings {
            if setting.name != "containerInsights" {
                return Err(invalid(format!("Invalid setting name: {}", setting.name)));
            }
            match setting.value.as_str() {
                "disabled" => {}
                "enabled" | "enhanced" => {
                    return Err(ApiError::unsupported(format!(
                        "The cluster setting containerInsights={}",
                        setting.value
                    )));
                }
                other => return Err(invalid(format!("Invalid setting value for containerInsights: {other}"))),
            }
        }
        if settings.is_empty() {
            return Ok(vec![Self { name: "containerInsights".to_owned(), value: "disabled".to_owned() }]);
        }
        Ok(settings)
    }
}

impl Cluster {
    pub(crate) fn is_active(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// The cluster that a request means by name or ARN.
    ///
    /// # Errors
    /// `ClusterNotFoundException`.
    pub(crate) fn find(endpoint: &Endpoint, tx: &Tx<'_>, reference: Option<&str>) -> Result<Self, ApiError> {
        let missing = |message: &str| ApiError::new("ClusterNotFoundException", message);
        let name = name_of(endpoint, reference.unwrap_or(DEFAULT));
        let cluster = name.map(|name| tx.get::<Self>(name)).transpose()?.flatten();
        let cluster = cluster.ok_or_else(|| missing("Cluster not found."))?;
        if cluster.is_active() { Ok(cluster) } else { Err(missing("The referenced cluster was inactive.")) }
    }
}

/// The name in a name or ARN; `None` for an ARN of elsewhere.
pub(super) fn name_of<'a>(endpoint: &Endpoint, reference: &'a str) -> Option<&'a str> {
    if reference.starts_with("arn:") {
        reference.strip_prefix(&endpoint.arn("ecs", "cluster/"))
    } else {
        Some(reference)
    }
}
