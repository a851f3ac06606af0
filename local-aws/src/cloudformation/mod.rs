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

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::ec2;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
pub use estimate::{Direction, Estimate};
use stack::Stack;

/// How long the answer to a call that starts an operation is held back for the operation to end. The waiters of the AWS
/// CLI (`aws cloudformation deploy`, `wait`) look once, at once, and then sleep for 30 s.
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// One call of the service.
pub(crate) async fn call(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Result<Value, ApiError> {
    let output = answer(endpoint, operation, input)?;
    let starts =
        ["ContinueUpdateRollback", "CreateStack", "DeleteStack", "ExecuteChangeSet", "RollbackStack", "UpdateStack"];
    // With AWS's latencies nothing is over in that time, and the time would count.
    if starts.contains(&operation) && endpoint.latency.is_none() {
        operation::settled(endpoint, ANSWER_WITHIN).await;
    }
    Ok(output)
}

fn answer(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Result<Value, ApiError> {
    match operation {
        "ContinueUpdateRollback" => api::update::continue_update_rollback(endpoint, input),
        "CreateChangeSet" => change_set::create::create_change_set(endpoint, input),
        "CreateStack" => api::create::create_stack(endpoint, input),
        "DeleteChangeSet" => change_set::calls::delete_change_set(endpoint, input),
        "DeleteStack" => api::delete::delete_stack(endpoint, input),
        "DescribeChangeSet" => change_set::calls::describe_change_set(endpoint, input),
        "DescribeEvents" => api::events::describe_events(endpoint, input),
        "DescribeStackEvents" => api::describe::describe_stack_events(endpoint, input),
        "DescribeStackResource" => api::resources::describe_stack_resource(endpoint, input),
        "DescribeStackResources" => api::resources::describe_stack_resources(endpoint, input),
        "DescribeStacks" => api::describe::describe_stacks(endpoint, input),
        "ExecuteChangeSet" => change_set::execute::execute_change_set(endpoint, input),
        "GetTemplate" => api::templates::get_template(endpoint, input),
        "GetTemplateSummary" => api::templates::get_template_summary(endpoint, input),
        "ListChangeSets" => change_set::calls::list_change_sets(endpoint, input),
        "ListExports" => api::exports::list_exports(endpoint, input),
        "ListImports" => api::exports::list_imports(endpoint, input),
        "ListStackResources" => api::resources::list_stack_resources(endpoint, input),
        "ListStacks" => api::describe::list_stacks(endpoint, input),
        "RollbackStack" => api::update::rollback_stack(endpoint, input),
        "UpdateStack" => api::update::update_stack(endpoint, input),
        "UpdateTerminationProtection" => api::delete::update_termination_protection(endpoint, input),
        "ValidateTemplate" => api::templates::validate_template(input),
        other => Err(ApiError::unknown_operation("cloudformation", other)),
    }
}

/// Takes up the operations that an earlier endpoint left unfinished.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
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
