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

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) use template::{Spec, Template};

pub(crate) static SERVICE: Service = Service {
    resume: run::resume,
    tagged,
    ..Service::new(
        "FIS",
        wire::Service::rest("fis", &routes::REST),
        INVALID,
        &[
            Operation::now("CreateExperimentTemplate", |call| template::create(&call.endpoint, call.input)),
            Operation::now("GetExperimentTemplate", |call| template::get(&call.endpoint, call.decode()?)),
            Operation::now("ListExperimentTemplates", |call| template::list(&call.endpoint, call.decode()?)),
            Operation::now("UpdateExperimentTemplate", |call| template::update(&call.endpoint, call.decode()?)),
            Operation::now("DeleteExperimentTemplate", |call| template::delete(&call.endpoint, call.decode()?)),
            Operation::now("StartExperiment", |call| experiment::start(&call.endpoint, &call.decode()?)),
            Operation::now("GetExperiment", |call| experiment::get(&call.endpoint, call.decode()?)),
            Operation::now("ListExperiments", |call| experiment::list(&call.endpoint, call.decode()?)),
            Operation::now("StopExperiment", |call| experiment::stop(&call.endpoint, call.decode()?)),
            Operation::now("ListExperimentResolvedTargets", |call| {
                experiment::list_resolved_targets(&call.endpoint, call.decode()?)
            }),
            Operation::now("GetAction", |call| catalog::get_action(&call.endpoint, call.decode()?)),
            Operation::now("ListActions", |call| catalog::list_actions(&call.endpoint, call.decode()?)),
            Operation::now("GetTargetResourceType", |call| catalog::get_target_resource_type(call.decode()?)),
            Operation::now("ListTargetResourceTypes", |call| catalog::list_target_resource_types(call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, call.decode()?)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, call.decode()?)),
            Operation::now("GetSafetyLever", |call| safety_lever::get(&call.endpoint, call.decode()?)),
            Operation::now("UpdateSafetyLeverState", |call| safety_lever::update(&call.endpoint, call.decode()?)),
        ],
    )
};

/// Every tagged resource of the service.
fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
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
