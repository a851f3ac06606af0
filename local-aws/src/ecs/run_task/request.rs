//! What RunTask is asked for, and what of it can be judged by itself.

use serde::Deserialize;

use crate::ecs::capacity::StrategyItem;
use crate::ecs::network::NetworkConfiguration;
use crate::ecs::refusal::invalid;
use crate::ecs::tag::Tag;
use crate::ecs::task::Overrides;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RunTask {
    pub(in crate::ecs) task_definition: String,
    pub(in crate::ecs) cluster: Option<String>,
    #[serde(default = "one")]
    pub(in crate::ecs) count: i64,
    pub(in crate::ecs) launch_type: Option<String>,
    #[serde(default)]
    pub(in crate::ecs) capacity_provider_strategy: Vec<StrategyItem>,
    pub(in crate::ecs) network_configuration: Option<NetworkConfiguration>,
    #[serde(default)]
    pub(in crate::ecs) overrides: Overrides,
    pub(in crate::ecs) propagate_tags: Option<String>,
    #[serde(default, rename = "enableECSManagedTags")]
    pub(in crate::ecs) enable_ecs_managed_tags: bool,
    #[serde(default)]
    pub(in crate::ecs) enable_execute_command: bool,
    #[serde(default)]
    pub(in crate::ecs) tags: Vec<Tag>,
    pub(in crate::ecs) group: Option<String>,
    pub(in crate::ecs) started_by: Option<String>,
    pub(in crate::ecs) client_token: Option<String>,
    pub(in crate::ecs) platform_version: Option<String>,
}

fn one() -> i64 {
    1
}

impl RunTask {
    /// What can be told from the request alone.
    pub(super) fn validate(&self) -> Result<(), ApiError> {
        if !(1..=10).contains(&self.count) {
            return Err(invalid(if self.count < 1 { "Count must be at least 1." } else { "Count cannot exceed 10." }));
        }
        match self.platform_version.as_deref() {
            None | Some("LATEST" | "1.4.0") => {}
            Some("1.3.0") => return Err(ApiError::unsupported("The platformVersion 1.3.0")),
            Some(_) => return Err(ApiError::new("PlatformUnknownException", "The specified platform does not exist.")),
        }
        match self.propagate_tags.as_deref() {
            None | Some("TASK_DEFINITION" | "NONE") => {}
            Some("SERVICE") => return Err(invalid("propagateTags: SERVICE is not allowed with RunTask.")),
            Some(other) => return Err(invalid(format!("Invalid propagateTags: {other}"))),
        }
        if self.enable_execute_command {
            return Err(ApiError::unsupported("enableExecuteCommand of RunTask"));
        }
        let started_by = self.started_by.as_deref().unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
        if started_by.len() > 128 || !started_by.chars().all(allowed) {
            return Err(invalid(
                "startedBy can have up to 128 characters: letters (uppercase and lowercase), numbers, hyphens (-), forward slash (/), and underscores (_).",
            ));
        }
        let token = self.client_token.as_deref().unwrap_or("-");
        if token.is_empty() || token.len() > 64 || !token.bytes().all(|byte| (33..=126).contains(&byte)) {
            return Err(invalid("clientToken must have 1 to 64 ASCII characters in the range of 33-126 (inclusive)."));
        }
        match self.group.as_deref() {
            Some(group) if group.starts_with("service:") => Err(invalid("Invalid namespace for group.")),
            _ => Ok(()),
        }
    }
}
