//! CloudFormation: templates in, resources of all the other services out.
//!
//! # Layout
//! In reading order:
//! - `template`, `schema`: the language, and AWS's schemas of the resource types; pure
//! - `resources`: how each type is made, changed and deleted
//! - `status`, `stack`, `stack_resource`, `event`, `export`: what is on record
//! - `request` to `compiled` to `plan`: from a call to what it would change; all checks are made on this way, those of
//!   `early_validation` for change sets
//! - `operation`: does it, in the background, step by step; `latency`: how long each type takes on AWS, `estimate`: how long
//!   a whole stack
//! - `change_set`, `api`: the calls

mod api;
mod change_set;
mod compiled;
mod early_validation;
mod estimate;
mod event;
mod export;
pub(crate) mod latency;
mod operation;
mod plan;
mod request;
pub(crate) mod resources;
pub(crate) mod schema;
mod stack;
mod stack_resource;
mod status;
pub(crate) mod template;
mod under_way;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::ec2;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Answer, Call, Operation, Service};
use crate::wire;
pub use estimate::{Direction, Estimate};
use stack::Stack;

pub(crate) static SERVICE: Service = Service {
    resume,
    ..Service::new(
        "CloudFormation",
        wire::Service::query("cloudformation", "http://cloudformation.amazonaws.com/doc/2010-05-15/"),
        "ValidationError",
        &[
            Operation::later("ContinueUpdateRollback", |call| begin(call, api::update::continue_update_rollback)),
            Operation::now("CreateChangeSet", |call| change_set::create::create_change_set(&call.endpoint, call.input)),
            Operation::later("CreateStack", |call| begin(call, api::create::create_stack)),
            Operation::now("DeleteChangeSet", |call| change_set::calls::delete_change_set(&call.endpoint, call.input)),
            Operation::later("DeleteStack", |call| begin(call, api::delete::delete_stack)),
            Operation::now("DescribeChangeSet", |call| {
                change_set::calls::describe_change_set(&call.endpoint, call.input)
            }),
            Operation::now("DescribeEvents", |call| api::events::describe_events(&call.endpoint, call.input)),
            Operation::now("DescribeStackEvents", |call| {
                api::describe::describe_stack_events(&call.endpoint, call.input)
            }),
            Operation::now("DescribeStackResource", |call| {
                api::resources::describe_stack_resource(&call.endpoint, call.input)
            }),
            Operation::now("DescribeStackResources", |call| {
                api::resources::describe_stack_resources(&call.endpoint, call.input)
            }),
            Operation::now("DescribeStacks", |call| api::describe::describe_stacks(&call.endpoint, call.input)),
            Operation::later("ExecuteChangeSet", |call| begin(call, change_set::execute::execute_change_set)),
            Operation::now("GetTemplate", |call| api::templates::get_template(&call.endpoint, call.input)),
            Operation::now("GetTemplateSummary", |call| {
                api::templates::get_template_summary(&call.endpoint, call.input)
            }),
            Operation::now("ListChangeSets", |call| change_set::calls::list_change_sets(&call.endpoint, call.input)),
            Operation::now("ListExports", |call| api::exports::list_exports(&call.endpoint, call.input)),
            Operation::now("ListImports", |call| api::exports::list_imports(&call.endpoint, call.input)),
            Operation::now("ListStackResources", |call| {
                api::resources::list_stack_resources(&call.endpoint, call.input)
            }),
            Operation::now("ListStacks", |call| api::describe::list_stacks(&call.endpoint, call.input)),
            Operation::later("RollbackStack", |call| begin(call, api::update::rollback_stack)),
            Operation::later("UpdateStack", |call| begin(call, api::update::update_stack)),
            Operation::now("UpdateTerminationProtection", |call| {
                api::delete::update_termination_protection(&call.endpoint, call.input)
            }),
            Operation::now("ValidateTemplate", |call| api::templates::validate_template(call.input)),
        ],
    )
};

/// How long the answer to a call that starts an operation is held back for the operation to end. The waiters of the AWS
/// CLI (`aws cloudformation deploy`, `wait`) look once, at once, and then sleep for 30 s.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// A call that starts an operation.
fn begin(call: Call, run: fn(&Arc<Endpoint>, Value) -> Result<Value, ApiError>) -> Answer {
    Box::pin(async move {
        let output = run(&call.endpoint, call.input)?;
        // With AWS's latencies nothing is over in that time, and the time would count.
        if call.endpoint.latency.is_none() {
            operation::settled(&call.endpoint, ANSWER_WITHIN).await;
        }
        Ok(output)
    })
}

/// Takes up the operations that an earlier endpoint left unfinished.
fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let stacks = endpoint.store.read(|tx| tx.list::<Stack>())?;
    for stack in stacks.into_iter().filter(|stack| stack.status.is_working()) {
        operation::start(endpoint, Arc::default(), &stack.stack_id);
    }
    Ok(())
}

/// CloudFormation has one code for everything that is wrong with a request, a template or the state of a stack.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// The service's timestamps.
fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What `Fn::GetAZs` gives.
fn availability_zones(region: &str) -> Vec<String> {
    ec2::zone::zones(region).into_iter().map(|zone| zone.name).collect()
}
