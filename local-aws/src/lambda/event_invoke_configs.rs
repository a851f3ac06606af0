//! The calls for what becomes of asynchronous invocations.

use serde::Deserialize;
use serde_json::{Value, json};

use super::event_invoke_config::{Changes, DestinationConfig, EventInvokeConfig};
use super::function::Function;
use super::name::find;
use super::refusal::{invalid, not_found};
use super::role;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::epoch;

fn describe(config: &EventInvokeConfig, function: &Function) -> Value {
    let destination = |arn: &Option<String>| arn.as_ref().map_or_else(|| json!({}), |arn| json!({"Destination": arn}));
    let mut shown = json!({
        "LastModified": epoch(config.last_modified),
        "FunctionArn": format!("{}:$LATEST", function.arn),
        "DestinationConfig": {
            "OnSuccess": destination(&config.on_success), "OnFailure": destination(&config.on_failure),
        },
    });
    if let Some(attempts) = config.maximum_retry_attempts {
        shown["MaximumRetryAttempts"] = json!(attempts);
    }
    if let Some(age) = config.maximum_event_age {
        shown["MaximumEventAgeInSeconds"] = json!(age);
    }
    shown
}

impl Changes {
    /// Gives the function these settings, or changes those that it has.
    pub(crate) fn apply(self, tx: &Tx<'_>, function: &mut Function, is_update: bool) -> Result<(), ApiError> {
        let mut config = match (is_update, &function.event_invoke_config) {
            (true, None) => return Err(missing(function)),
            (true, Some(config)) => config.clone(),
            (false, _) => EventInvokeConfig::default(),
        };
        config.change(self)?;
        for queue in [&config.on_success, &config.on_failure].into_iter().flatten() {
            if !role::may_send(tx, function, queue)? {
                return Err(invalid(format!(
                    "The function's execution role {} does not have permissions to call SendMessage on {queue}",
                    function.settings.role
                )));
            }
        }
        function.event_invoke_config = Some(config);
        tx.put(function)
    }
}

fn missing(function: &Function) -> ApiError {
    not_found(format!("The function {}:$LATEST doesn't have an EventInvokeConfig", function.arn))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PutFunctionEventInvokeConfig {
    function_name: String,
    qualifier: Option<String>,
    maximum_retry_attempts: Option<i64>,
    maximum_event_age_in_seconds: Option<i64>,
    destination_config: Option<DestinationConfig>,
}

pub(super) fn put(
    endpoint: &Endpoint,
    input: PutFunctionEventInvokeConfig,
    is_update: bool,
) -> Result<Value, ApiError> {
    let changes = Changes {
        maximum_retry_attempts: input.maximum_retry_attempts,
        maximum_event_age_in_seconds: input.maximum_event_age_in_seconds,
        destination_config: input.destination_config,
    };
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, input.qualifier.as_deref())?;
        changes.apply(tx, &mut function, is_update)?;
        shown(&function)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Named {
    function_name: String,
    qualifier: Option<String>,
}

fn shown(function: &Function) -> Result<Value, ApiError> {
    let config = function.event_invoke_config.as_ref().ok_or_else(|| missing(function))?;
    Ok(describe(config, function))
}

pub(super) fn get(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    let function = endpoint.store.read(|tx| find(endpoint, tx, &input.function_name, input.qualifier.as_deref()))?;
    shown(&function)
}

pub(super) fn delete(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, input.qualifier.as_deref())?;
        function.event_invoke_config.take().ok_or_else(|| missing(&function))?;
        tx.put(&function)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListFunctionEventInvokeConfigs {
    function_name: String,
    #[serde(rename = "Marker")]
    _marker: Option<String>,
    max_items: Option<i64>,
}

/// A function has one version, and so at most one.
pub(super) fn list(endpoint: &Endpoint, input: &ListFunctionEventInvokeConfigs) -> Result<Value, ApiError> {
    super::page::limit(input.max_items, 50)?;
    let function = endpoint.store.read(|tx| find(endpoint, tx, &input.function_name, None))?;
    let configs: Vec<Value> = function.event_invoke_config.iter().map(|config| describe(config, &function)).collect();
    Ok(json!({"FunctionEventInvokeConfigs": configs}))
}
