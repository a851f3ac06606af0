//! What becomes of asynchronous invocations: how often and how long they are tried, and who is told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dead_letter;
use super::function::Function;
use super::name::find;
use super::refusal::{constraint, invalid, not_found};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::epoch;

/// Of events without a setting, as on AWS.
const MAXIMUM_RETRY_ATTEMPTS: u32 = 2;
const MAXIMUM_EVENT_AGE: u32 = 21_600;

/// The settings; what is not there is as without them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventInvokeConfig {
    pub(crate) maximum_retry_attempts: Option<u32>,
    pub(crate) maximum_event_age: Option<u32>,
    /// ARNs of queues.
    pub(crate) on_success: Option<String>,
    pub(crate) on_failure: Option<String>,
    last_modified: DateTime<Utc>,
}

/// Settings as requests write them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Changes {
    maximum_retry_attempts: Option<i64>,
    maximum_event_age_in_seconds: Option<i64>,
    destination_config: Option<DestinationConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DestinationConfig {
    on_success: Option<Destination>,
    on_failure: Option<Destination>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Destination {
    destination: Option<String>,
}

impl Function {
    pub(super) fn maximum_retry_attempts(&self) -> u32 {
        let config = self.event_invoke_config.as_ref();
        config.and_then(|config| config.maximum_retry_attempts).unwrap_or(MAXIMUM_RETRY_ATTEMPTS)
    }

    /// In seconds.
    pub(super) fn maximum_event_age(&self) -> u32 {
        let config = self.event_invoke_config.as_ref();
        config.and_then(|config| config.maximum_event_age).unwrap_or(MAXIMUM_EVENT_AGE)
    }
}

impl EventInvokeConfig {
    /// Takes the changes over; nothing is written.
    fn change(&mut self, changes: Changes) -> Result<(), ApiError> {
        if let Some(attempts) = changes.maximum_retry_attempts {
            self.maximum_retry_attempts = Some(within("maximumRetryAttempts", attempts, 0, 2)?);
        }
        if let Some(age) = changes.maximum_event_age_in_seconds {
            self.maximum_event_age = Some(within("maximumEventAgeInSeconds", age, 60, 21_600)?);
        }
        let queue = |one: Option<Destination>| {
            let arn = one.and_then(|one| one.destination).filter(|arn| !arn.is_empty());
            arn.map(|arn| dead_letter::queue(&arn, "destination")).transpose()
        };
        if let Some(config) = changes.destination_config {
            self.on_success = queue(config.on_success)?;
            self.on_failure = queue(config.on_failure)?;
        }
        self.last_modified = Utc::now();
        Ok(())
    }

    fn describe(&self, function: &Function) -> Value {
        let destination =
            |arn: &Option<String>| arn.as_ref().map_or_else(|| json!({}), |arn| json!({"Destination": arn}));
        let mut shown = json!({
            "LastModified": epoch(self.last_modified),
            "FunctionArn": format!("{}:$LATEST", function.arn),
            "DestinationConfig": {
                "OnSuccess": destination(&self.on_success), "OnFailure": destination(&self.on_failure),
            },
        });
        if let Some(attempts) = self.maximum_retry_attempts {
            shown["MaximumRetryAttempts"] = json!(attempts);
        }
        if let Some(age) = self.maximum_event_age {
            shown["MaximumEventAgeInSeconds"] = json!(age);
        }
        shown
    }
}

fn within(member: &str, value: i64, least: i64, most: i64) -> Result<u32, ApiError> {
    let rule = match value {
        value if value < least => format!("have value greater than or equal to {least}"),
        value if value > most => format!("have value less than or equal to {most}"),
        value => return u32::try_from(value).map_err(|_| constraint(member, value, "be a number")),
    };
    Err(constraint(member, value, &rule))
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
            if !dead_letter::may_send(tx, function, queue)? {
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
    Ok(config.describe(function))
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
    let configs: Vec<Value> = function.event_invoke_config.iter().map(|config| config.describe(&function)).collect();
    Ok(json!({"FunctionEventInvokeConfigs": configs}))
}
