//! What a template says, and an experiment does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a template says, in the API's member names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Spec {
    pub(super) description: String,
    pub(super) role_arn: String,
    #[serde(default)]
    pub(super) targets: BTreeMap<String, Target>,
    pub(super) actions: BTreeMap<String, Action>,
    pub(super) stop_conditions: Vec<StopCondition>,
    #[serde(default)]
    pub(super) experiment_options: Options,
}

/// Resources that actions act on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) resource_type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resource_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) resource_tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) filters: Vec<Filter>,
    pub(super) selection_mode: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) parameters: BTreeMap<String, String>,
}

/// A condition on a member of the resource's description.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    pub(super) path: String,
    pub(super) values: Vec<String>,
}

/// Something to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Action {
    pub(super) action_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, String>,
    /// From the action's own name of its targets to the template's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) targets: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) start_after: Vec<String>,
}

/// When to stop an experiment; `none` is the only one here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StopCondition {
    pub(super) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
}

/// Options of a template.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct Options {
    pub(super) account_targeting: String,
    pub(super) empty_target_resolution_mode: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { account_targeting: "single-account".to_owned(), empty_target_resolution_mode: "fail".to_owned() }
    }
}
