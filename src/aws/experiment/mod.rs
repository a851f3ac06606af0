//! FIS: the experiment, and what it would hit.

mod reason;
mod resolved;
mod start;
mod stop;

pub(crate) use reason::failure;
pub(crate) use resolved::{ResolvedTarget, resolved_targets};
pub(crate) use start::start;
pub(crate) use stop::stop_running;

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_fis::types::{
    ActionsMode, ExperimentAction, ExperimentActionStatus, ExperimentOptions, ExperimentStatus, ExperimentSummary,
};
use clap::ValueEnum;
use serde::Serialize;

use super::clients::Clients;
use super::in_json;
use super::tasks::{Task, timestamp};
use crate::error::{Doing, Error, Result};

/// How many of the running tasks an experiment stops: FIS calls it the selection mode of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Selection {
    /// Whatever runs.
    #[default]
    All,
    /// One of them, whichever FIS picks.
    One,
}

/// How an experiment ends a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Signal {
    /// SIGTERM, and SIGKILL when `stopTimeout` is over: ECS stops the task
    #[default]
    Term,
    /// SIGKILL at once, and ECS is not asked: on the local endpoint
    Kill,
}

/// What an experiment does: each has a template of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fault {
    /// To how many of the tasks.
    pub(crate) selection: Selection,
    pub(crate) signal: Signal,
}

impl Fault {
    /// All of them, in the order of the template.
    pub(crate) const ALL: [Self; 4] = [
        Self { selection: Selection::All, signal: Signal::Term },
        Self { selection: Selection::One, signal: Signal::Term },
        Self { selection: Selection::All, signal: Signal::Kill },
        Self { selection: Selection::One, signal: Signal::Kill },
    ];
}

/// Of the parts of an environment: the template for it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.signal, self.selection) {
            (Signal::Term, Selection::All) => "experiment template",
            (Signal::Term, Selection::One) => "experiment template for one task",
            (Signal::Kill, Selection::All) => "experiment template that kills",
            (Signal::Kill, Selection::One) => "experiment template that kills one task",
        })
    }
}

/// An experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Experiment {
    /// `EXP...`
    pub(crate) experiment_id: String,
    /// Whether its actions were done, or skipped for a preview.
    #[serde(serialize_with = "in_json::plain")]
    pub(crate) actions_mode: ActionsMode,
    #[serde(serialize_with = "in_json::plain")]
    pub(crate) status: ExperimentStatus,
    /// Why, in AWS's words.
    pub(crate) reason: String,
    /// The kind of failure, if it failed: `InvalidTarget`, `AuthorizationFailure`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<String>,
    /// Why actions failed, in AWS's words: what the experiment's own reason only sums up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) action_reasons: Vec<String>,
    pub(crate) started_at: Option<String>,
    /// Lists of experiments do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
}

impl Experiment {
    /// It has hit nothing and was not meant to.
    pub(crate) fn is_preview(&self) -> bool {
        self.actions_mode == ActionsMode::SkipAll
    }

    /// Nothing changes any more.
    pub(crate) fn is_over(&self) -> bool {
        use ExperimentStatus::{Cancelled, Completed, Failed, Stopped};
        matches!(self.status, Completed | Stopped | Failed | Cancelled)
    }

    /// FIS found nothing to hit. By its code, and for want of one by the start of its reason, the end of which AWS words
    /// in two ways.
    pub(crate) fn found_no_target(&self) -> bool {
        let by_code = self.error_code.as_deref() == Some("InvalidTarget");
        self.status == ExperimentStatus::Failed
            && (by_code || self.reason.starts_with("Target resolution returned empty set"))
    }
}

/// The tags that a task must bear to be a target of the template.
pub(crate) async fn target_tags(clients: &Clients, template_id: &str) -> Result<BTreeMap<String, String>> {
    let request = clients.fis.get_experiment_template().id(template_id);
    let answer = request.send().await.doing(format_args!("Reading the experiment template {template_id}"))?;
    let targets = answer.experiment_template().and_then(|template| template.targets());
    let tags = targets.into_iter().flat_map(|targets| targets.values()).filter_map(|target| target.resource_tags());
    Ok(tags.flatten().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The tags, if the template is there.
pub(crate) async fn find_target_tags(clients: &Clients, template_id: &str) -> Result<Option<BTreeMap<String, String>>> {
    match target_tags(clients, template_id).await {
        Ok(tags) => Ok(Some(tags)),
        Err(error) if error.has_code(&["ResourceNotFoundException"]) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether `task` bears all of `tags`: several tags of a target are an AND.
pub(crate) fn is_target(task: &Task, tags: &BTreeMap<String, String>) -> bool {
    tags.iter().all(|(key, value)| task.tags.get(key) == Some(value))
}

/// The experiment as it is now.
pub(crate) async fn get(clients: &Clients, id: &str) -> Result<Experiment> {
    let answer = clients.fis.get_experiment().id(id).send().await;
    let answer = answer.doing(format_args!("Reading the experiment {id}"))?;
    let found = answer.experiment().ok_or_else(|| Error::failed(format!("FIS does not know the experiment {id}.")))?;
    let state = found.state();
    Ok(Experiment {
        experiment_id: id.to_owned(),
        actions_mode: mode(found.experiment_options()),
        status: status(state.and_then(|state| state.status())),
        reason: state.and_then(|state| state.reason()).unwrap_or_default().to_owned(),
        error_code: state.and_then(|state| state.error()?.code()).map(str::to_owned),
        action_reasons: found.actions().into_iter().flatten().filter_map(|(_, action)| failed(action)).collect(),
        started_at: found.start_time().and_then(timestamp),
        ended_at: found.end_time().and_then(timestamp),
    })
}

/// Follows the experiment to its end; `on_change` sees every status.
pub(crate) async fn follow(clients: &Clients, id: &str, mut on_change: impl FnMut(&Experiment)) -> Result<Experiment> {
    let mut pace = clients.pace();
    let mut last = None;
    loop {
        let experiment = get(clients, id).await?;
        if last.as_ref() != Some(&experiment.status) {
            on_change(&experiment);
            last = Some(experiment.status.clone());
            pace.reset();
        }
        if experiment.is_over() {
            return Ok(experiment);
        }
        pace.wait().await;
    }
}

/// The experiments of the template, newest first.
pub(crate) async fn list(clients: &Clients, template_id: &str) -> Result<Vec<Experiment>> {
    let mut found: Vec<(i64, Experiment)> = Vec::new();
    let mut next = None;
    loop {
        let request = clients.fis.list_experiments().experiment_template_id(template_id).set_next_token(next);
        let page = request.send().await.doing("Listing the experiments")?;
        found.extend(page.experiments().iter().map(|summary| (created(summary), of_summary(summary))));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    found.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    Ok(found.into_iter().map(|(_, experiment)| experiment).collect())
}

fn created(summary: &ExperimentSummary) -> i64 {
    summary.creation_time().and_then(|time| time.to_millis().ok()).unwrap_or_default()
}

fn of_summary(summary: &ExperimentSummary) -> Experiment {
    let state = summary.state();
    Experiment {
        experiment_id: summary.id().unwrap_or_default().to_owned(),
        actions_mode: mode(summary.experiment_options()),
        status: status(state.and_then(|state| state.status())),
        reason: state.and_then(|state| state.reason()).unwrap_or_default().to_owned(),
        error_code: None,
        action_reasons: Vec::new(),
        started_at: summary.creation_time().and_then(timestamp),
        ended_at: None,
    }
}

fn failed(action: &ExperimentAction) -> Option<String> {
    let state = action.state()?;
    let failed = state.status() == Some(&ExperimentActionStatus::Failed);
    state.reason().filter(|reason| failed && !reason.is_empty()).map(str::to_owned)
}

/// What FIS does unless it is told otherwise.
fn mode(options: Option<&ExperimentOptions>) -> ActionsMode {
    options.and_then(|options| options.actions_mode()).cloned().unwrap_or(ActionsMode::RunAll)
}

/// FIS names one of every experiment.
fn status(status: Option<&ExperimentStatus>) -> ExperimentStatus {
    status.cloned().unwrap_or_else(|| ExperimentStatus::from("unknown"))
}

#[cfg(test)]
impl Experiment {
    /// One that has ended like this.
    pub(crate) fn ended(status: ExperimentStatus, reason: &str) -> Self {
        Self {
            experiment_id: "EXP1".to_owned(),
            actions_mode: ActionsMode::RunAll,
            status,
            reason: reason.to_owned(),
            error_code: None,
            action_reasons: Vec::new(),
            started_at: None,
            ended_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(status: &str, reason: &str) -> Experiment {
        Experiment::ended(status.into(), reason)
    }

    #[test]
    fn an_empty_target_is_recognised_with_and_without_the_period() {
        assert!(experiment("failed", "Target resolution returned empty set").found_no_target());
        assert!(experiment("failed", "Target resolution returned empty set.").found_no_target());
        assert!(!experiment("failed", "Access denied").found_no_target());
    }

    #[test]
    fn the_four_last_states_are_the_end() {
        for status in ["completed", "stopped", "failed", "cancelled"] {
            assert!(experiment(status, "").is_over(), "{status}");
        }
        for status in ["pending", "initiating", "running", "stopping"] {
            assert!(!experiment(status, "").is_over(), "{status}");
        }
    }
}
