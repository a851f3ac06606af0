//! An experiment, which is what a template does, once: its record, and how it is shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::id::new_id;
use super::refusal::{not_found, quota_exceeded};
use super::spec::Spec;
use super::tag::Tags;
use super::template::Template;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};
use crate::wire::epoch;

/// Quota "Active experiments".
const MAX_ACTIVE: usize = 5;

/// An experiment's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Initiating,
    Running,
    Completed,
    Stopping,
    Stopped,
    Failed,
    Cancelled,
}

impl Status {
    /// As the API writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Initiating => "initiating",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it stays.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped | Self::Failed | Self::Cancelled)
    }
}

/// An action's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ActionStatus {
    Pending,
    Running,
    Completed,
    Cancelled,
    Stopped,
    Failed,
    Skipped,
}

/// Why something failed, with AWS FIS's code for it, e.g. `InvalidTarget`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) reason: String,
    /// The action or target that it is about.
    pub(super) location: String,
}

impl Failure {
    pub(super) fn new(code: &str, reason: impl Into<String>, location: &str) -> Self {
        Self { code: code.to_owned(), reason: reason.into(), location: location.to_owned() }
    }
}

/// How far an action is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) status: ActionStatus,
    pub(super) reason: String,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) failure: Option<Failure>,
}

/// A task that a target resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResolvedTask {
    pub(super) arn: String,
    pub(super) cluster_arn: String,
}

/// Whether the actions are done, or only the targets resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ActionsMode {
    #[default]
    RunAll,
    SkipAll,
}

/// An experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Experiment {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) template_id: String,
    /// What the template said when the experiment was started.
    pub(super) spec: Spec,
    pub(super) actions_mode: ActionsMode,
    pub(super) status: Status,
    pub(super) reason: String,
    pub(super) failure: Option<Failure>,
    /// For each action of the template.
    pub(super) progress: BTreeMap<String, Progress>,
    /// For each target of the template, once resolved.
    pub(super) resolved: BTreeMap<String, Vec<ResolvedTask>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) tags: Tags,
}

impl Record for Experiment {
    const KIND: &'static str = "fis.experiment";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// An experiment that has not ended: what counts for the quota, and what goes on after a restart. Kept beside the
/// experiments, so that neither has to read those that ended long ago.
#[derive(Serialize, Deserialize)]
pub(super) struct Active {
    pub(super) experiment_id: String,
}

impl Record for Active {
    const KIND: &'static str = "fis.active-experiment";
    fn id(&self) -> String {
        self.experiment_id.clone()
    }
}

impl Experiment {
    /// Makes an experiment of the template; `run` does the rest.
    pub(super) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        template: Template,
        actions_mode: ActionsMode,
        tags: Tags,
    ) -> Result<Self, ApiError> {
        if tx.list::<Active>()?.len() >= MAX_ACTIVE {
            return Err(quota_exceeded(format!("You have reached the quota Active experiments ({MAX_ACTIVE}).")));
        }
        let id = new_id("EXP");
        let pending = Progress {
            status: ActionStatus::Pending,
            reason: "Initial state".to_owned(),
            started_at: None,
            ended_at: None,
            failure: None,
        };
        let experiment = Self {
            arn: endpoint.arn("fis", &format!("experiment/{id}")),
            template_id: template.id,
            progress: template.spec.actions.keys().map(|name| (name.clone(), pending.clone())).collect(),
            spec: template.spec,
            actions_mode,
            status: Status::Initiating,
            reason: "Experiment is initiating.".to_owned(),
            failure: None,
            resolved: BTreeMap::new(),
            created_at: Utc::now(),
            ended_at: None,
            tags,
            id,
        };
        tx.put(&experiment)?;
        tx.put(&Active { experiment_id: experiment.id.clone() })?;
        Ok(experiment)
    }

    pub(super) fn describe(&self, endpoint: &Endpoint) -> Value {
        let actions: BTreeMap<_, _> = self
            .spec
            .actions
            .iter()
            .filter_map(|(name, action)| {
                let progress = self.progress.get(name)?;
                let mut description = json!(action);
                description["state"] = json!({"status": progress.status, "reason": progress.reason});
                put_time(&mut description, "startTime", progress.started_at);
                put_time(&mut description, "endTime", progress.ended_at);
                Some((name, description))
            })
            .collect();
        let mut description = self.summary(endpoint);
        description["roleArn"] = json!(self.spec.role_arn);
        description["targets"] = json!(self.spec.targets);
        description["actions"] = json!(actions);
        description["stopConditions"] = json!(self.spec.stop_conditions);
        description["targetAccountConfigurationsCount"] = json!(0);
        put_time(&mut description, "startTime", Some(self.created_at));
        put_time(&mut description, "endTime", self.ended_at);
        description
    }

    pub(super) fn summary(&self, endpoint: &Endpoint) -> Value {
        let mut state = json!({"status": self.status, "reason": self.reason});
        if let Some(Failure { code, location, .. }) = &self.failure {
            state["error"] = json!({"accountId": endpoint.identity.account_id, "code": code, "location": location});
        }
        let mut options = json!(self.spec.experiment_options);
        options["actionsMode"] = json!(self.actions_mode);
        json!({
            "id": self.id,
            "arn": self.arn,
            "experimentTemplateId": self.template_id,
            "state": state,
            "creationTime": epoch(self.created_at),
            "tags": self.tags,
            "experimentOptions": options,
        })
    }
}

fn put_time(description: &mut Value, member: &str, time: Option<DateTime<Utc>>) {
    if let Some(time) = time {
        description[member] = json!(epoch(time));
    }
}

/// The experiment of this id.
pub(super) fn find(tx: &Tx<'_>, id: &str) -> Result<Experiment, ApiError> {
    tx.get(id)?.ok_or_else(|| not_found(format!("Experiment {id} not found.")))
}
