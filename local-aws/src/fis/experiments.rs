//! The calls for experiments.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::catalog::TASK;
use super::experiment::{ActionsMode, Experiment, find};
use super::experiment_event::State;
use super::page::ListPage;
use super::refusal::invalid;
use super::tag::{self, Tags};
use super::{experiment_event, run, template, token};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;

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

pub(super) fn start(endpoint: &Arc<Endpoint>, operation: &str, input: &StartExperiment) -> Result<Value, ApiError> {
    let (experiment, is_new) = create(endpoint, operation, input)?;
    if is_new {
        run::spawn(endpoint, &experiment.id);
    }
    Ok(json!({"experiment": experiment.describe(endpoint)}))
}

/// The experiment of this request, and whether it is the first time that it is sent.
fn create(endpoint: &Endpoint, operation: &str, input: &StartExperiment) -> Result<(Experiment, bool), ApiError> {
    let StartExperiment { client_token, experiment_template_id, experiment_options, tags } = input;
    tag::check(tags)?;
    let request = Request { experiment_template_id, experiment_options, tags };
    endpoint.store.write(|tx| {
        if let Some(id) = token::used(tx, operation, client_token, &request)? {
            return Ok((find(tx, &id)?, false));
        }
        iam::service_linked::ensure(endpoint, tx, "fis.amazonaws.com")?;
        let template = template::find(tx, experiment_template_id)?;
        let experiment = Experiment::create(endpoint, tx, template, experiment_options.actions_mode, tags.clone())?;
        experiment_event::send(endpoint, tx, &experiment, &State::pending())?;
        token::keep(tx, operation, client_token, &request, &experiment.id)?;
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
        if experiment.request_stop(endpoint, tx)? {
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
    let ListExperiments { max_results, next_token, experiment_template_id } = input;
    let mut experiments = endpoint.store.read(|tx| tx.list::<Experiment>())?;
    experiments.retain(|experiment| experiment_template_id.as_ref().is_none_or(|id| experiment.template_id == *id));
    // The newest first: it is the one that somebody looks for.
    let key = |experiment: &Experiment| Reverse((experiment.created_at, experiment.id.clone()));
    experiments.sort_by_cached_key(key);
    let show = |experiment: &Experiment| experiment.summary(endpoint);
    ListPage { max_results, next_token }.of("experiments", experiments, key, show)
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
    let ListExperimentResolvedTargets { experiment_id, max_results, next_token, target_name } = input;
    let experiment = endpoint.store.read(|tx| find(tx, &experiment_id))?;
    let wanted = |name: &String| target_name.as_ref().is_none_or(|target| target == name);
    let mut targets: Vec<(String, String)> = experiment
        .resolved
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .flat_map(|(name, tasks)| tasks.into_iter().map(move |task| (name.clone(), task.arn)))
        .collect();
    targets.sort_unstable();
    let show = |(name, arn): &(String, String)| json!({"resourceType": TASK, "targetName": name, "targetInformation": {"arn": arn}});
    ListPage { max_results, next_token }.of("resolvedTargets", targets, Clone::clone, show)
}
