//! A task: its record and its states.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::tag::Tags;
use super::task_definition::{ContainerDefinition, KeyValuePair};
use crate::ec2::dns::private_dns_name;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::identity::random_text;
use crate::store::{Record, Tx};

/// Where a task is in its life, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

/// Where a task shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Desired {
    Running,
    Stopped,
}

/// Why a task stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StopCode {
    TaskFailedToStart,
    EssentialContainerExited,
    UserInitiated,
}

/// What RunTask changes in the definition, for its tasks only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Overrides {
    #[serde(default)]
    pub(super) container_overrides: Vec<ContainerOverride>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task_role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_role_arn: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ContainerOverride {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) command: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) environment: Vec<KeyValuePair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory_reservation: Option<i64>,
}

/// The elastic network interface of a task: where it shall be and, from PENDING on, what it is. It exists in the API
/// only: the process uses the host's network. A stopped task shows what it was.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub(super) attachment_id: String,
    #[serde(default)]
    pub(super) assign_public_ip: bool,
    pub(super) id: String,
    pub(super) mac_address: String,
    pub(super) private_address: String,
    pub(super) cidr_block: String,
    pub(super) subnet_id: String,
    pub(super) availability_zone: String,
    pub(super) security_groups: Vec<String>,
}

/// The record of a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(super) cluster: String,
    pub(crate) arn: String,
    pub(crate) cluster_arn: String,
    pub(super) definition_arn: String,
    pub(super) family: String,
    pub(super) revision: u32,
    pub(super) last_status: Status,
    pub(super) desired_status: Desired,
    /// When it came into `last_status`.
    #[serde(default)]
    pub(super) entered_at: Option<DateTime<Utc>>,
    /// Counts the changes, so that who gets events out of order can tell.
    pub(super) version: u64,
    pub(super) cpu: u32,
    pub(super) memory: u32,
    pub(super) cpu_architecture: String,
    pub(super) group: String,
    pub(super) started_by: Option<String>,
    /// When it was run by a strategy and not by a launch type.
    pub(super) capacity_provider: Option<String>,
    pub(super) overrides: Overrides,
    pub(crate) tags: Tags,
    pub(super) role_arn: Option<String>,
    pub(super) execution_role_arn: Option<String>,
    /// As the definition had it when the task was run.
    pub(super) container: ContainerDefinition,
    pub(super) container_id: String,
    pub(super) image_digest: Option<String>,
    pub(super) runtime_id: Option<String>,
    pub(super) exit_code: Option<i32>,
    pub(super) container_reason: Option<String>,
    pub(super) interface: Interface,
    /// Unguessable name of the task's credentials and metadata.
    pub(super) access_id: String,
    /// What its program is called among the processes.
    #[serde(default)]
    pub(super) process_name: Option<String>,
    /// The image's, e.g. `SIGINT`.
    pub(super) stop_signal: Option<String>,
    /// When SIGKILL follows; survives the endpoint.
    pub(super) kill_at: Option<DateTime<Utc>>,
    pub(super) stop_code: Option<StopCode>,
    pub(super) stopped_reason: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) connectivity_at: Option<DateTime<Utc>>,
    pub(super) pull_started_at: Option<DateTime<Utc>>,
    pub(super) pull_stopped_at: Option<DateTime<Utc>>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) stopping_at: Option<DateTime<Utc>>,
    pub(super) execution_stopped_at: Option<DateTime<Utc>>,
    pub(super) stopped_at: Option<DateTime<Utc>>,
}

impl Record for Task {
    const KIND: &'static str = "ecs.task";
    fn id(&self) -> String {
        format!("{}/{}", self.cluster, self.id)
    }
}

impl Task {
    pub(super) fn is_stopped(&self) -> bool {
        self.last_status == Status::Stopped
    }

    /// What it runs on, by the name that images have for it.
    pub(super) fn docker_architecture(&self) -> &'static str {
        if self.cpu_architecture == "ARM64" { "arm64" } else { "amd64" }
    }

    /// The tasks of a cluster, stopped ones included.
    pub(super) fn of_cluster(tx: &Tx<'_>, cluster: &str) -> Result<Vec<Self>, ApiError> {
        tx.list_prefix(&format!("{cluster}/"))
    }

    pub(super) fn by_arn(tx: &Tx<'_>, arn: &str) -> Result<Option<Self>, ApiError> {
        let Some((_, key)) = arn.split_once(":task/") else { return Ok(None) };
        Ok(tx.get::<Self>(key)?.filter(|task| task.arn == arn))
    }

    /// Wants the task stopped, for a reason. The first reason stays.
    pub(super) fn request_stop(&mut self, code: StopCode, reason: impl Into<String>) {
        if self.desired_status == Desired::Stopped {
            return;
        }
        self.desired_status = Desired::Stopped;
        self.stop_code = Some(code);
        self.stopped_reason = Some(reason.into());
        self.stopping_at = Some(Utc::now());
        self.version += 1;
    }

    /// Goes to `status`, with the marks that AWS sets there.
    pub(super) fn enter(&mut self, status: Status) {
        let now = Utc::now();
        self.entered_at = Some(now);
        match status {
            Status::Pending => self.connectivity_at = Some(now),
            Status::Activating => self.pull_started_at = Some(now),
            Status::Running => {
                self.started_at = Some(now);
                self.runtime_id = Some(format!("{}-{}", self.id, random_text(b"0123456789", 10)));
            }
            Status::Stopping => {
                // Docker's and ECS's default grace.
                let grace = self.container.stop_timeout.unwrap_or(30);
                self.kill_at = Some(now + chrono::TimeDelta::seconds(grace));
            }
            Status::Stopped => {
                self.stopped_at = Some(now);
                // As on ECS: "Any tags associated with the task will be deleted."
                self.tags.clear();
            }
            Status::Provisioning | Status::Deactivating | Status::Deprovisioning => {}
        }
        self.last_status = status;
        self.version += 1;
    }

    pub(super) fn container_override(&self) -> Option<&ContainerOverride> {
        self.overrides.container_overrides.iter().find(|one| one.name == self.container.name)
    }

    pub(super) fn container_arn(&self) -> String {
        format!("{}/{}", self.arn.replacen(":task/", ":container/", 1), self.container_id)
    }

    /// `PREFIX/CONTAINER/TASKID`.
    pub(super) fn log_stream(&self) -> Option<(&str, String)> {
        let log = self.container.log_configuration.as_ref()?;
        let stream = format!("{}/{}/{}", log.option("awslogs-stream-prefix"), self.container.name, self.id);
        Some((log.option("awslogs-group"), stream))
    }

    /// The files of the task's process.
    pub(super) fn directory(&self, endpoint: &Endpoint) -> std::path::PathBuf {
        endpoint.state_dir.join("tasks").join(&self.id)
    }

    /// The name that the VPC's DNS server has for the task.
    pub(super) fn private_dns_name(&self) -> String {
        let region = self.arn.split(':').nth(3).unwrap_or_default();
        private_dns_name(region, &self.interface.private_address)
    }

    pub(super) fn container_status(&self) -> &'static str {
        match self.last_status {
            Status::Provisioning | Status::Pending | Status::Activating => "PENDING",
            Status::Running | Status::Deactivating | Status::Stopping => "RUNNING",
            Status::Deprovisioning | Status::Stopped => "STOPPED",
        }
    }
}
