//! CloudFormation: templates in, resources of all the other services out.
//!
//! # Layout
//! In reading order:
//! - `template`, `schema`: the language, and AWS's schemas of the resource types; pure
//! - `resources`: how each type is made, changed and deleted
//! - `status`, `stack`, `template_text`, `stack_resource`, `event`, `export`: what is on record
//! - `request` to `compiled` to `plan`: from a call to what it would change; all checks are made on this way, those of
//!   `early_validation` for change sets
//! - `operation`: does it, in the background, step by step; `under_way`: what is in memory of it
//! - `forget`: what goes after a while; `latency`, `estimate`: how long a type and a whole stack take on AWS
//! - `drift`: what has become of the resources without CloudFormation
//! - `change_set`, `api`: the calls; `answer`, `refusal`: what they say

mod answer;
mod api;
mod change_set;
mod compiled;
mod drift;
mod early_validation;
mod estimate;
mod event;
mod export;
mod forget;
pub(crate) mod latency;
mod operation;
mod permission;
mod plan;
mod refusal;
mod request;
pub(crate) mod resources;
mod schema;
mod stack;
mod stack_resource;
mod status;
pub(crate) mod template;
mod template_text;
mod under_way;

use self::operation::begin;
use crate::service::{Operation, Service};
use crate::wire;

pub use self::estimate::{Direction, Estimate};

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    resume: operation::resume,
    forget: forget::forget,
    ..Service::new(
        "CloudFormation",
        wire::Service::query("cloudformation", "http://cloudformation.amazonaws.com/doc/2010-05-15/"),
        "ValidationError",
        &[
            Operation::later("ContinueUpdateRollback", |call| {
                begin(call, |call| api::update::continue_update_rollback(&call.endpoint, call.decode()?))
            }),
            Operation::at_length("CreateChangeSet", |call| {
                change_set::create::create_change_set(&call.endpoint, call.decode()?)
            }),
            Operation::later("CreateStack", |call| {
                begin(call, |call| api::create::create_stack(&call.endpoint, call.decode()?))
            }),
            Operation::now("DeleteChangeSet", |call| {
                change_set::calls::delete_change_set(&call.endpoint, call.decode()?)
            }),
            Operation::later("DeleteStack", |call| {
                begin(call, |call| api::delete::delete_stack(&call.endpoint, call.decode()?))
            }),
            Operation::now("DescribeChangeSet", |call| {
                change_set::calls::describe_change_set(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeEvents", |call| api::events::describe_events(&call.endpoint, call.decode()?)),
            Operation::now("DescribeStackDriftDetectionStatus", |call| {
                drift::describe::describe_stack_drift_detection_status(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeStackEvents", |call| {
                api::describe::describe_stack_events(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeStackResource", |call| {
                api::resources::describe_stack_resource(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeStackResourceDrifts", |call| {
                drift::describe::describe_stack_resource_drifts(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeStackResources", |call| {
                api::resources::describe_stack_resources(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeStacks", |call| api::describe::describe_stacks(&call.endpoint, call.decode()?)),
            Operation::at_length("DetectStackDrift", |call| {
                drift::detect::detect_stack_drift(&call.endpoint, call.decode()?)
            }),
            Operation::at_length("DetectStackResourceDrift", |call| {
                drift::detect::detect_stack_resource_drift(&call.endpoint, call.decode()?)
            }),
            Operation::later("ExecuteChangeSet", |call| {
                begin(call, |call| change_set::execute::execute_change_set(&call.endpoint, call.decode()?))
            }),
            Operation::now("GetTemplate", |call| api::templates::get_template(&call.endpoint, call.decode()?)),
            Operation::at_length("GetTemplateSummary", |call| {
                api::templates::get_template_summary(&call.endpoint, call.decode()?)
            }),
            Operation::now("ListChangeSets", |call| {
                change_set::calls::list_change_sets(&call.endpoint, call.decode()?)
            }),
            Operation::now("ListExports", |call| api::exports::list_exports(&call.endpoint, call.decode()?)),
            Operation::now("ListImports", |call| api::exports::list_imports(&call.endpoint, call.decode()?)),
            Operation::now("ListStackResources", |call| {
                api::resources::list_stack_resources(&call.endpoint, call.decode()?)
            }),
            Operation::now("ListStacks", |call| api::describe::list_stacks(&call.endpoint, call.decode()?)),
            Operation::later("RollbackStack", |call| {
                begin(call, |call| api::update::rollback_stack(&call.endpoint, call.decode()?))
            }),
            Operation::later("UpdateStack", |call| {
                begin(call, |call| api::update::update_stack(&call.endpoint, call.decode()?))
            }),
            Operation::now("UpdateTerminationProtection", |call| {
                api::delete::update_termination_protection(&call.endpoint, call.decode()?)
            }),
            Operation::at_length("ValidateTemplate", |call| {
                api::templates::validate_template(&call.endpoint, call.decode()?)
            }),
        ],
    )
};
