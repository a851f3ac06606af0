//! Fault Injection Service: experiment templates, and experiments that really stop tasks.
//!
//! An experiment's record is written at every step; `run` reads what to do next from it, so an endpoint that was
//! killed goes on where it stopped.

mod catalog;
mod duration;
mod experiment;
mod experiment_event;
mod experiments;
mod id;
mod page;
mod permission;
mod progress;
mod refusal;
mod resolve;
mod routes;
mod run;
mod safety_lever;
mod safety_levers;
mod spec;
mod tag;
mod tags;
mod targets;
mod template;
mod templates;
mod token;
mod validate;

use self::experiment::Experiment;
use self::refusal::INVALID;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) use spec::Spec;
pub(crate) use template::Template;

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    resume: run::resume,
    tagged,
    ..Service::new(
        "FIS",
        wire::Service::rest("fis", &routes::REST),
        INVALID,
        &[
            Operation::now("CreateExperimentTemplate", |call| {
                templates::create(&call.endpoint, call.operation.name, call.decode()?)
            }),
            Operation::now("GetExperimentTemplate", |call| templates::get(&call.endpoint, call.decode()?)),
            Operation::now("ListExperimentTemplates", |call| templates::list(&call.endpoint, &call.decode()?)),
            Operation::now("UpdateExperimentTemplate", |call| templates::update(&call.endpoint, call.decode()?)),
            Operation::now("DeleteExperimentTemplate", |call| templates::delete(&call.endpoint, call.decode()?)),
            Operation::now("StartExperiment", |call| {
                experiments::start(&call.endpoint, call.operation.name, &call.decode()?)
            }),
            Operation::now("GetExperiment", |call| experiments::get(&call.endpoint, call.decode()?)),
            Operation::now("ListExperiments", |call| experiments::list(&call.endpoint, call.decode()?)),
            Operation::now("StopExperiment", |call| experiments::stop(&call.endpoint, call.decode()?)),
            Operation::now("ListExperimentResolvedTargets", |call| {
                experiments::list_resolved_targets(&call.endpoint, call.decode()?)
            }),
            Operation::now("GetAction", |call| catalog::get_action(&call.endpoint, call.decode()?)),
            Operation::now("ListActions", |call| catalog::list_actions(&call.endpoint, &call.decode()?)),
            Operation::now("GetTargetResourceType", |call| catalog::get_target_resource_type(call.decode()?)),
            Operation::now("ListTargetResourceTypes", |call| catalog::list_target_resource_types(&call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, call.decode()?)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, call.decode()?)),
            Operation::now("GetSafetyLever", |call| safety_levers::get(&call.endpoint, call.decode()?)),
            Operation::now("UpdateSafetyLeverState", |call| safety_levers::update(&call.endpoint, call.decode()?)),
        ],
    )
};

/// Every tagged resource of the service.
fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let templates = tx.list::<Template>()?.into_iter().map(|template| (template.arn, template.tags));
    let experiments = tx.list::<Experiment>()?.into_iter();
    let experiments = experiments.map(|experiment| (experiment.arn, experiment.tags));
    let tagged = templates.chain(experiments).filter(|(_, tags)| !tags.is_empty());
    Ok(tagged.map(|(arn, tags)| Tagged { arn, tags }).collect())
}
