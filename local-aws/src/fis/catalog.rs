//! What experiments can be made of: actions and the resources that they act on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::ListPage;
use super::refusal::not_found;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// Stops tasks.
pub(super) const STOP_TASK: &str = "aws:ecs:stop-task";

/// Sends a signal to a process of tasks.
pub(super) const KILL_PROCESS: &str = "aws:ecs:task-kill-process";

/// Does nothing for a while.
pub(super) const WAIT: &str = "aws:fis:wait";

/// The one type of resource that an experiment can have as a target here.
pub(super) const TASK: &str = "aws:ecs:task";

/// An action of AWS FIS that this endpoint does.
pub(super) struct ActionKind {
    pub(super) id: &'static str,
    description: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The action's own name for its targets, and their type.
    pub(super) target: Option<(&'static str, &'static str)>,
}

/// A parameter of an action.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    description: &'static str,
    pub(super) required: bool,
}

pub(super) const ACTIONS: &[ActionKind] = &[
    ActionKind {
        id: STOP_TASK,
        description: "Stop the target ECS tasks.",
        parameters: &[],
        target: Some(("Tasks", TASK)),
    },
    ActionKind {
        id: KILL_PROCESS,
        description: "Send a signal to a process of the target ECS tasks.",
        parameters: &[
            Parameter { name: "processName", description: "The name of the process.", required: true },
            Parameter { name: "signal", description: "SIGTERM (the default) or SIGKILL.", required: false },
        ],
        target: Some(("Tasks", TASK)),
    },
    ActionKind {
        id: WAIT,
        description: "Wait for the specified duration. Stop condition monitoring will continue during this time.",
        parameters: &[Parameter { name: "duration", description: "The duration, in ISO 8601 format.", required: true }],
        target: None,
    },
];

/// Parameters of [`TASK`].
pub(super) const TASK_PARAMETERS: &[(&str, &str)] = &[
    ("cluster", "The cluster that contains the target tasks."),
    ("service", "The service that contains the target tasks."),
];

const TASK_DESCRIPTION: &str = "An Amazon ECS task";

/// The action of this id.
pub(super) fn action(id: &str) -> Option<&'static ActionKind> {
    ACTIONS.iter().find(|action| action.id == id)
}

impl ActionKind {
    fn summary(&self, endpoint: &Endpoint) -> Value {
        let targets: BTreeMap<_, _> =
            self.target.iter().map(|(name, kind)| (*name, json!({"resourceType": kind}))).collect();
        json!({
            "id": self.id, "arn": endpoint.arn("fis", &format!("action/{}", self.id)),
            "description": self.description, "targets": targets, "tags": {},
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetAction {
    id: String,
}

pub(super) fn get_action(endpoint: &Endpoint, input: GetAction) -> Result<Value, ApiError> {
    let action = action(&input.id).ok_or_else(|| not_found(format!("Action with ID {} not found.", input.id)))?;
    let mut description = action.summary(endpoint);
    let parameters = action.parameters.iter();
    let describe = |it: &Parameter| (it.name, json!({"description": it.description, "required": it.required}));
    let parameters: BTreeMap<_, _> = parameters.map(describe).collect();
    description["parameters"] = json!(parameters);
    Ok(json!({"action": description}))
}

pub(super) fn list_actions(endpoint: &Endpoint, asked: &ListPage) -> Result<Value, ApiError> {
    let show = |action: &&ActionKind| action.summary(endpoint);
    asked.of("actions", ACTIONS.iter().collect(), |action| action.id.to_owned(), show)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct GetTargetResourceType {
    resource_type: String,
}

pub(super) fn get_target_resource_type(input: GetTargetResourceType) -> Result<Value, ApiError> {
    if input.resource_type != TASK {
        return Err(not_found(format!("Target resource type {} not found.", input.resource_type)));
    }
    let parameters = TASK_PARAMETERS.iter();
    let parameters: BTreeMap<_, _> =
        parameters.map(|(name, text)| (*name, json!({"description": text, "required": false}))).collect();
    Ok(json!({"targetResourceType": {
        "resourceType": TASK, "description": TASK_DESCRIPTION, "parameters": parameters,
    }}))
}

pub(super) fn list_target_resource_types(asked: &ListPage) -> Result<Value, ApiError> {
    let show = |name: &&str| json!({"resourceType": name, "description": TASK_DESCRIPTION});
    asked.of("targetResourceTypes", vec![TASK], |name| (*name).to_owned(), show)
}
