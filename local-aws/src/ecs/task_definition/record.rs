//! Families of numbered revisions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{ContainerDefinition, RuntimePlatform};
use crate::ecs::tag::Tags;
use crate::ecs::time::epoch;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DefinitionStatus {
    Active,
    Inactive,
    DeleteInProgress,
}

/// One revision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TaskDefinition {
    pub(crate) arn: String,
    pub(crate) family: String,
    pub(crate) revision: u32,
    pub(crate) status: DefinitionStatus,
    pub(crate) task_role_arn: Option<String>,
    pub(crate) execution_role_arn: Option<String>,
    pub(crate) container: ContainerDefinition,
    pub(in crate::ecs) requires_compatibilities: Vec<String>,
    pub(crate) cpu: u32,
    pub(crate) memory: u32,
    pub(crate) runtime_platform: Option<RuntimePlatform>,
    pub(crate) tags: Tags,
    pub(in crate::ecs) registered_at: DateTime<Utc>,
    pub(in crate::ecs) deregistered_at: Option<DateTime<Utc>>,
    pub(in crate::ecs) delete_requested_at: Option<DateTime<Utc>>,
}

impl Record for TaskDefinition {
    const KIND: &'static str = "ecs.task_definition";
    fn id(&self) -> String {
        key(&self.family, self.revision)
    }
}

// Padded, so that the order of the keys is that of the numbers.
fn key(family: &str, revision: u32) -> String {
    format!("{family}:{revision:010}")
}

/// The number that a family is at. It outlives its revisions: no number is ever given twice.
#[derive(Serialize, Deserialize)]
pub(crate) struct Family {
    pub(in crate::ecs) name: String,
    pub(in crate::ecs) last_revision: u32,
}

impl Record for Family {
    const KIND: &'static str = "ecs.family";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl TaskDefinition {
    /// The definition meant by `family` (its latest active revision), `family:revision` or ARN.
    pub(crate) fn find(tx: &Tx<'_>, reference: &str) -> Result<Option<Self>, ApiError> {
        let name = reference.rsplit_once("task-definition/").map_or(reference, |(_, name)| name);
        let found = match name.split_once(':') {
            Some((family, revision)) => match revision.parse() {
                Ok(revision) => tx.get(&key(family, revision))?,
                Err(_) => None,
            },
            None => tx
                .list_prefix::<Self>(&format!("{name}:"))?
                .into_iter()
                .rfind(|definition| definition.status == DefinitionStatus::Active),
        };
        Ok(found.filter(|definition: &Self| !reference.starts_with("arn:") || definition.arn == reference))
    }

    pub(in crate::ecs) fn describe(&self) -> Result<Value, ApiError> {
        let mut container = json!(self.container);
        for absent in ["mountPoints", "volumesFrom", "systemControls"] {
            container[absent] = json!([]);
        }
        let mut answer = json!({
            "taskDefinitionArn": self.arn,
            "containerDefinitions": [container],
            "family": self.family,
            "networkMode": "awsvpc",
            "revision": self.revision,
            "volumes": [],
            "status": self.status,
            "placementConstraints": [],
            "compatibilities": ["EC2", "FARGATE"],
            "requiresCompatibilities": self.requires_compatibilities,
            "cpu": self.cpu.to_string(),
            "memory": self.memory.to_string(),
            "registeredAt": epoch(self.registered_at),
        });
        let optional = [
            ("taskRoleArn", self.task_role_arn.as_ref().map(|arn| json!(arn))),
            ("executionRoleArn", self.execution_role_arn.as_ref().map(|arn| json!(arn))),
            ("runtimePlatform", self.runtime_platform.as_ref().map(|platform| json!(platform))),
            ("deregisteredAt", self.deregistered_at.map(|time| json!(epoch(time)))),
            ("deleteRequestedAt", self.delete_requested_at.map(|time| json!(epoch(time)))),
        ];
        for (member, value) in optional {
            if let Some(value) = value {
                answer[member] = value;
            }
        }
        Ok(answer)
    }
}

/// ECS takes a role's ARN or its name.
pub(in crate::ecs) fn role_arn(endpoint: &Endpoint, role: String) -> String {
    if role.starts_with("arn:") { role } else { format!("arn:aws:iam::{}:role/{role}", endpoint.identity.account_id) }
}
