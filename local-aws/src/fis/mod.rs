//! Fault Injection Service: experiment templates, and experiments that really stop tasks.
//!
//! An experiment's record is written at every step; `run` reads what to do next from it, so an endpoint that was
//! killed goes on where it stopped.

mod catalog;
mod duration;
mod experiment;
mod progress;
mod resolve;
mod routes;
mod run;
mod safety_lever;
mod tags;
mod targets;
mod template;
mod token;
mod validate;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tagging::Tagged;
use crate::wire;

pub(crate) use routes::route;
pub(crate) use run::resume;
pub(crate) use template::{Spec, Template};

/// One call of the service.
pub(crate) async fn call(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Result<Value, ApiError> {
    match operation {
        "CreateExperimentTemplate" => template::create(endpoint, input),
        "GetExperimentTemplate" => template::get(endpoint, decode(operation, input)?),
        "ListExperimentTemplates" => template::list(endpoint, decode(operation, input)?),
        "UpdateExperimentTemplate" => template::update(endpoint, decode(operation, input)?),
        "DeleteExperimentTemplate" => template::delete(endpoint, decode(operation, input)?),
        "StartExperiment" => experiment::start(endpoint, &decode(operation, input)?),
        "GetExperiment" => experiment::get(endpoint, decode(operation, input)?),
        "ListExperiments" => experiment::list(endpoint, decode(operation, input)?),
        "StopExperiment" => experiment::stop(endpoint, decode(operation, input)?),
        "ListExperimentResolvedTargets" => experiment::list_resolved_targets(endpoint, decode(operation, input)?),
        "GetAction" => catalog::get_action(endpoint, decode(operation, input)?),
        "ListActions" => catalog::list_actions(endpoint, decode(operation, input)?),
        "GetTargetResourceType" => catalog::get_target_resource_type(decode(operation, input)?),
        "ListTargetResourceTypes" => catalog::list_target_resource_types(decode(operation, input)?),
        "TagResource" => tags::tag_resource(endpoint, decode(operation, input)?),
        "UntagResource" => tags::untag_resource(endpoint, decode(operation, input)?),
        "ListTagsForResource" => tags::list_tags_for_resource(endpoint, decode(operation, input)?),
        "GetSafetyLever" => safety_lever::get(endpoint, decode(operation, input)?),
        "UpdateSafetyLeverState" => safety_lever::update(endpoint, decode(operation, input)?),
        other => Err(ApiError::unknown_operation("fis", other)),
    }
}

/// Every tagged resource of the service.
pub(crate) fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let templates = tx.list::<Template>()?.into_iter().map(|template| (template.arn, template.tags));
    let experiments = tx.list::<experiment::Experiment>()?.into_iter();
    let experiments = experiments.map(|experiment| (experiment.arn, experiment.tags));
    let tagged = templates.chain(experiments).filter(|(_, tags)| !tags.is_empty());
    Ok(tagged.map(|(arn, tags)| Tagged { arn, tags }).collect())
}

const INVALID: &str = "ValidationException";

fn decode<T: DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    wire::decode(INVALID, operation, input)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message).status(404)
}

fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new("ConflictException", message).status(409)
}

fn quota_exceeded(message: impl Into<String>) -> ApiError {
    // 402 is what AWS FIS answers here; no other service of the lab does.
    ApiError::new("ServiceQuotaExceededException", message).status(402)
}

fn bad_token() -> ApiError {
    invalid("The nextToken is not valid.")
}

/// The page size asked for, or the model's maximum.
fn max_results(asked: Option<i64>) -> Result<usize, ApiError> {
    match asked {
        None => Ok(100),
        Some(asked @ 1..=100) => usize::try_from(asked).map_err(|_| invalid("maxResults")),
        Some(asked) => Err(invalid(format!("maxResults must be between 1 and 100, not {asked}."))),
    }
}

/// A time as FIS writes it: seconds, with milliseconds as their fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a double for 285,000 years")]
fn epoch(time: chrono::DateTime<chrono::Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}
