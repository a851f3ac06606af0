//! Experiment templates.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::catalog::with_token;
use super::tags::{self, Tags};
use super::{bad_token, epoch, max_results, not_found, quota_exceeded, token, validate};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::identity::random_text;
use crate::paging::page;
use crate::store::{Record, Tx};

/// Quota "Experiment templates" of an account.
const MAX_TEMPLATES: usize = 500;

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

/// A template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(super) spec: Spec,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) tags: Tags,
}

impl Record for Template {
    const KIND: &'static str = "fis.template";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Template {
    /// Makes a template.
    pub(crate) fn create(endpoint: &Endpoint, tx: &Tx<'_>, spec: Spec, tags: Tags) -> Result<Self, ApiError> {
        validate::template(endpoint, &spec)?;
        if tx.list::<Self>()?.len() >= MAX_TEMPLATES {
            return Err(quota_exceeded(format!("You have reached the quota Experiment templates ({MAX_TEMPLATES}).")));
        }
        let id = new_id("EXT");
        let arn = endpoint.arn("fis", &format!("experiment-template/{id}"));
        let now = Utc::now();
        let template = Self { id, arn, spec, created_at: now, updated_at: now, tags };
        tx.put(&template)?;
        Ok(template)
    }

    /// Replaces what the template says.
    pub(crate) fn change(endpoint: &Endpoint, tx: &Tx<'_>, id: &str, spec: Spec, tags: Tags) -> Result<(), ApiError> {
        validate::template(endpoint, &spec)?;
        tx.put(&Self { spec, tags, updated_at: Utc::now(), ..find(tx, id)? })
    }

    /// Deletes the template; says whether it was there. Its experiments go on, with the copy that they made of it.
    pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<bool, ApiError> {
        tx.delete::<Self>(id)
    }

    fn describe(&self) -> Value {
        json!({
            "id": self.id,
            "arn": self.arn,
            "description": self.spec.description,
            "targets": self.spec.targets,
            "actions": self.spec.actions,
            "stopConditions": self.spec.stop_conditions,
            "creationTime": epoch(self.created_at),
            "lastUpdateTime": epoch(self.updated_at),
            "roleArn": self.spec.role_arn,
            "tags": self.tags,
            "experimentOptions": self.spec.experiment_options,
            "targetAccountConfigurationsCount": 0,
        })
    }

    fn summary(&self) -> Value {
        json!({
            "id": self.id,
            "arn": self.arn,
            "description": self.spec.description,
            "creationTime": epoch(self.created_at),
            "lastUpdateTime": epoch(self.updated_at),
            "tags": self.tags,
        })
    }
}

/// An id as AWS FIS makes them, e.g. `EXPYciXq641jU5e1Rk`.
pub(super) fn new_id(prefix: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    format!("{prefix}{}", random_text(alphabet, 15))
}

/// The template of this id.
pub(super) fn find(tx: &Tx<'_>, id: &str) -> Result<Template, ApiError> {
    tx.get(id)?.ok_or_else(|| not_found(format!("Experiment template {id} not found.")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Creation {
    client_token: String,
    #[serde(default)]
    tags: Tags,
}

const CREATE: &str = "CreateExperimentTemplate";

pub(super) fn create(endpoint: &Endpoint, mut input: Value) -> Result<Value, ApiError> {
    // Two structs and no `flatten`: serde would then ignore unknown members instead of refusing them.
    let mut creation = Map::new();
    for member in ["clientToken", "tags"] {
        if let Some((name, value)) = input.as_object_mut().and_then(|members| members.remove_entry(member)) {
            creation.insert(name, value);
        }
    }
    let Creation { client_token, tags } = super::decode(CREATE, Value::Object(creation))?;
    let spec: Spec = super::decode(CREATE, input)?;
    tags::check(&tags)?;
    let template = endpoint.store.write(|tx| {
        let request = (&spec, &tags);
        if let Some(id) = token::used(tx, CREATE, &client_token, &request)? {
            return find(tx, &id);
        }
        let template = Template::create(endpoint, tx, spec.clone(), tags.clone())?;
        token::keep(tx, CREATE, &client_token, &request, &template.id)?;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListExperimentTemplates {
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn list(endpoint: &Endpoint, input: ListExperimentTemplates) -> Result<Value, ApiError> {
    let limit = max_results(input.max_results)?;
    let templates = endpoint.store.read(|tx| tx.list::<Template>())?;
    let key = |template: &Template| template.id.clone();
    let (templates, token) = page(templates, key, false, input.next_token.as_deref(), limit, bad_token)?;
    let templates: Vec<Value> = templates.iter().map(Template::summary).collect();
    Ok(with_token(json!({"experimentTemplates": templates}), token))
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
