//! The calls for experiment templates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::ListPage;
use super::spec::{Action, Options, Spec, StopCondition, Target};
use super::tag::{self, Tags};
use super::template::{Template, find};
use super::token;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreateExperimentTemplate {
    client_token: String,
    #[serde(default)]
    tags: Tags,
    description: String,
    role_arn: String,
    #[serde(default)]
    targets: BTreeMap<String, Target>,
    actions: BTreeMap<String, Action>,
    stop_conditions: Vec<StopCondition>,
    #[serde(default)]
    experiment_options: Options,
}

pub(super) fn create(endpoint: &Endpoint, operation: &str, input: CreateExperimentTemplate) -> Result<Value, ApiError> {
    let CreateExperimentTemplate { client_token, tags, .. } = input;
    let spec = Spec {
        description: input.description,
        role_arn: input.role_arn,
        targets: input.targets,
        actions: input.actions,
        stop_conditions: input.stop_conditions,
        experiment_options: input.experiment_options,
    };
    tag::check(&tags)?;
    let template = endpoint.store.write(|tx| {
        let request = (&spec, &tags);
        if let Some(id) = token::used(tx, operation, &client_token, &request)? {
            return find(tx, &id);
        }
        let template = Template::create(endpoint, tx, spec.clone(), tags.clone())?;
        token::keep(tx, operation, &client_token, &request, &template.id)?;
        Ok(template)
    })?;
    Ok(json!({"experimentTemplate": template.describe()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedTemplate {
    id: String,
}

pub(super) fn get(endpoint: &Endpoint, input: NamedTemplate) -> Result<Value, ApiError> {
    let template = endpoint.store.read(|tx| find(tx, &input.id))?;
    Ok(json!({"experimentTemplate": template.describe()}))
}

pub(super) fn delete(endpoint: &Endpoint, input: NamedTemplate) -> Result<Value, ApiError> {
    let template = endpoint.store.write(|tx| {
        let template = find(tx, &input.id)?;
        Template::delete(tx, &input.id)?;
        Ok(template)
    })?;
    Ok(json!({"experimentTemplate": template.describe()}))
}

pub(super) fn list(endpoint: &Endpoint, asked: &ListPage) -> Result<Value, ApiError> {
    let templates = endpoint.store.read(|tx| tx.list::<Template>())?;
    asked.of("experimentTemplates", templates, |template| template.id.clone(), Template::summary)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdateExperimentTemplate {
    id: String,
    description: Option<String>,
    role_arn: Option<String>,
    targets: Option<BTreeMap<String, Target>>,
    actions: Option<BTreeMap<String, Action>>,
    stop_conditions: Option<Vec<StopCondition>>,
    experiment_options: Option<ChangedOptions>,
}

/// Account targeting is chosen once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChangedOptions {
    empty_target_resolution_mode: Option<String>,
}

pub(super) fn update(endpoint: &Endpoint, input: UpdateExperimentTemplate) -> Result<Value, ApiError> {
    let template = endpoint.store.write(|tx| {
        let Template { spec: old, tags, .. } = find(tx, &input.id)?;
        let mode = input.experiment_options.and_then(|options| options.empty_target_resolution_mode);
        let spec = Spec {
            description: input.description.unwrap_or(old.description),
            role_arn: input.role_arn.unwrap_or(old.role_arn),
            targets: input.targets.unwrap_or(old.targets),
            actions: input.actions.unwrap_or(old.actions),
            stop_conditions: input.stop_conditions.unwrap_or(old.stop_conditions),
            experiment_options: Options {
                empty_target_resolution_mode: mode.unwrap_or(old.experiment_options.empty_target_resolution_mode),
                ..old.experiment_options
            },
        };
        Template::change(endpoint, tx, &input.id, spec, tags)?;
        find(tx, &input.id)
    })?;
    Ok(json!({"experimentTemplate": template.describe()}))
}
