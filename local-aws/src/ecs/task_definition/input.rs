//! What a task definition may say. A member that is not here is refused by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ecs::tag::Tag;

/// Input of RegisterTaskDefinition.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RegisterTaskDefinition {
    pub(in crate::ecs) family: String,
    pub(in crate::ecs) task_role_arn: Option<String>,
    pub(in crate::ecs) execution_role_arn: Option<String>,
    pub(in crate::ecs) network_mode: Option<String>,
    #[serde(default)]
    pub(in crate::ecs) container_definitions: Vec<ContainerDefinition>,
    #[serde(default)]
    pub(in crate::ecs) requires_compatibilities: Vec<String>,
    pub(in crate::ecs) cpu: Option<String>,
    pub(in crate::ecs) memory: Option<String>,
    #[serde(default)]
    pub(in crate::ecs) tags: Vec<Tag>,
    pub(in crate::ecs) runtime_platform: Option<RuntimePlatform>,
}

/// The platform that the images were built for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RuntimePlatform {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_architecture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::ecs) operating_system_family: Option<String>,
}

/// One container.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ContainerDefinition {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) image: String,
    #[serde(default)]
    pub(crate) cpu: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_reservation: Option<i64>,
    #[serde(default)]
    pub(in crate::ecs) port_mappings: Vec<PortMapping>,
    #[serde(default = "yes")]
    pub(in crate::ecs) essential: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entry_point: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    #[serde(default)]
    pub(crate) environment: Vec<KeyValuePair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) working_directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    readonly_root_filesystem: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linux_parameters: Option<LinuxParameters>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) docker_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_configuration: Option<LogConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_timeout: Option<i64>,
}

fn yes() -> bool {
    true
}

/// A variable of a container's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeyValuePair {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) value: String,
}

impl KeyValuePair {
    /// Whether a process can have it: neither part may hold a NUL, which ends both.
    pub(in crate::ecs) fn is_variable(&self) -> bool {
        !self.name.is_empty() && !self.name.contains(['=', '\0']) && !self.value.contains('\0')
    }
}

/// A port that the program listens on; locally it is a port of the host itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PortMapping {
    pub(in crate::ecs) container_port: u16,
    pub(in crate::ecs) host_port: Option<u16>,
    protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LinuxParameters {
    // Every task has an init process here, which passes on the stop signal and the exit code: asking for it changes
    // nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    init_process_enabled: Option<bool>,
}

/// Where a container's output goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogConfiguration {
    pub(crate) log_driver: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
}

impl LogConfiguration {
    /// An option's value; empty when it is not set.
    pub(crate) fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }
}

impl PortMapping {
    // In awsvpc mode the host port is the container port, and ECS fills it in.
    pub(in crate::ecs) fn fill_in(&mut self) {
        self.host_port.get_or_insert(self.container_port);
        self.protocol.get_or_insert_with(|| "tcp".to_owned());
    }
}
