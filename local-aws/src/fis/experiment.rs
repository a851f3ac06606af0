//! Experiments: what a template does, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::catalog::{TASK, with_token};
use super::tags::{self, Tags};
use super::template::{self, Spec};
use super::{bad_token, epoch, invalid, max_results, not_found, quota_exceeded, run, token};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::paging::page;
use crate::store::{Record, Tx};

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
    template_id: String,
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
    created_at: DateTime<Utc>,
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
    fn create(endpoint: &Endpoint, tx: &Tx<'_>, request: &Request<'_>) -> Result<Self, ApiError> {
        let template = template::find(tx, request.experiment_template_id)?;
        if tx.list::<Active>()?.len() >= MAX_ACTIVE {
            return Err(quota_exceeded(format!("You have reached the quota Active experiments ({MAX_ACTIVE}).")));
        }
        let id = template::new_id("EXP");
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
            actions_mode: request.experiment_options.actions_mode,
            status: Status::Initiating,
            reason: "Experiment is initiating.".to_owned(),
            failure: None,
            resolved: BTreeMap::new(),
            created_at: Utc::now(),
            ended_at: None,
            tags: request.tags.clone(),
            id,
        };
        tx.put(&experiment)?;
        tx.put(&Active { experiment_id: experiment.id.clone() })?;
        Ok(experiment)
    }

    /// Asks for its end; says whether it goes on until then.
    pub(super) fn request_stop(&mut self, tx: &Tx<'_>) -> Result<bool, ApiError> {
        if self.status.is_final() {
            return Ok(false);
        }
        self.status = Status::Stopping;
        "Stopping Experiment.".clone_into(&mut self.reason);
        tx.put(self)?;
        Ok(true)
    }

    fn describe(&self, endpoint: &Endpoint) -> Value {
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

    fn summary(&self, endpoint: &Endpoint) -> Value {
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

fn find(tx: &Tx<'_>, id: &str) -> Result<Experiment, ApiError> {
    tx.get(id)?.ok_or_else(|| not_found(format!("Experiment {id} not found.")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StartExperiment {
    client_token: String,
    experiment_template_id: String,
    #[serde(default)]
    experiment_options: StartOptions,
    #[serde(default)]
    tags: Tags,
}

/// A StartExperiment without its token.
#[derive(Serialize)]
struct Request<'a> {
    experiment_template_id: &'a str,
    experiment_options: &'a StartOptions,
    tags: &'a Tags,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct StartOptions {
    actions_mode: ActionsMode,
}

pub(super) fn start(endpoint: &Arc<Endpoint>, input: &StartExperiment) -> Result<Value, ApiError> {
    let (experiment, is_new) = create(endpoint, input)?;
    if is_new {
        run::spawn(endpoint, &experiment.id);
    }
    Ok(json!({"experiment": experiment.describe(endpoint)}))
}

/// The experiment of this request, and whether it is the first time that it is sent.
pub(super) fn create(endpoint: &Endpoint, input: &StartExperiment) -> Result<(Experiment, bool), ApiError> {
    const START: &str = "StartExperiment";
    let StartExperiment { client_token, experiment_template_id, experiment_options, tags } = input;
    tags::check(tags)?;
    let request = Request { experiment_template_id, experiment_options, tags };
    endpoint.store.write(|tx| {
        if let Some(id) = token::used(tx, START, client_token, &request)? {
            return Ok((find(tx, &id)?, false));
        }
        iam::service_linked::ensure(endpoint, tx, "fis.amazonaws.com")?;
        let experiment = Experiment::create(endpoint, tx, &request)?;
        token::keep(tx, START, client_token, &request, &experiment.id)?;
        Ok((experiment, true))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedExperiment {
    id: String,
}

pub(super) fn get(endpoint: &Endpoint, input: NamedExperiment) -> Result<Value, ApiError> {
    let experiment = endpoint.store.read(|tx| find(tx, &input.id))?;
    Ok(json!({"experiment": experiment.describe(endpoint)}))
}

pub(super) fn stop(endpoint: &Arc<Endpoint>, input: NamedExperiment) -> Result<Value, ApiError> {
    let experiment = endpoint.store.write(|tx| {
        let mut experiment = find(tx, &input.id)?;
        if experiment.request_stop(tx)? {
            return Ok(experiment);
        }
        let status = json!(experiment.status);
        Err(invalid(format!("Experiment {} has already ended (status {status}) and cannot be stopped.", input.id)))
    })?;
    run::spawn(endpoint, &experiment.id);
    Ok(json!({"experiment": experiment.describe(endpoint)}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListExperiments {
    max_results: Option<i64>,
    next_token: Option<String>,
    experiment_template_id: Option<String>,
}

pub(super) fn list(endpoint: &Endpoint, input: ListExperiments) -> Result<Value, ApiError> {
    let limit = max_results(input.max_results)?;
    let mut experiments = endpoint.store.read(|tx| tx.list::<Experiment>())?;
    experiments
        .retain(|experiment| input.experiment_template_id.as_ref().is_none_or(|id| experiment.template_id == *id));
    // The newest first: it is the one that somebody looks for.
    let key = |experiment: &Experiment| (experiment.created_at, experiment.id.clone());
    experiments.sort_by_cached_key(|experiment| std::cmp::Reverse(key(experiment)));
    let (experiments, token) = page(experiments, key, true, input.next_token.as_deref(), limit, bad_token)?;
    let experiments: Vec<Value> = experiments.iter().map(|experiment| experiment.summary(endpoint)).collect();
    Ok(with_token(json!({"experiments": experiments}), token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListExperimentResolvedTargets {
    experiment_id: String,
    max_results: Option<i64>,
    next_token: Option<String>,
    target_name: Option<String>,
}

pub(super) fn list_resolved_targets(
    endpoint: &Endpoint,
    input: ListExperimentResolvedTargets,
) -> Result<Value, ApiError> {
    let limit = max_results(input.max_results)?;
    let experiment = endpoint.store.read(|tx| find(tx, &input.experiment_id))?;
    let wanted = |name: &String| input.target_name.as_ref().is_none_or(|target| target == name);
    let mut targets: Vec<(String, String)> = experiment
        .resolved
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .flat_map(|(name, tasks)| tasks.into_iter().map(move |task| (name.clone(), task.arn)))
        .collect();
    targets.sort_unstable();
    let (targets, token) = page(targets, Clone::clone, false, input.next_token.as_deref(), limit, bad_token)?;
    let targets: Vec<Value> = targets
        .into_iter()
        .map(|(name, arn)| json!({"resourceType": TASK, "targetName": name, "targetInformation": {"arn": arn}}))
        .collect();
    Ok(with_token(json!({"resolvedTargets": targets}), token))
}
