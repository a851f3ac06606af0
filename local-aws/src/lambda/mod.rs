//! Lambda: functions of image type, which run as processes of this machine.
//!
//! - `function`, `settings`, `code`, `event_invoke_config`: what is recorded; `name`: how calls name it
//! - `creation`, `functions`, `permissions`, `concurrency`, `event_invoke_configs`, `tags`: the calls that show and change it;
//!   `description`: how it is shown; `dead_letter`: which queues it may name; `page`: lists in pages
//! - `invoke`: a call that waits for the function; `later`: other services' events; `waiting`: events in the store; `queue`: their way
//!   to the function; `destination`: who is told of their end
//! - `request`, `invocation`: one event and its answer, in one of the `environments`
//! - `environment`: a process with its `runtime_api`, its `log` and its credentials; `program`: what it runs; `role`: what
//!   Lambda may do in the function's role
//!
//! A function's process ends with the endpoint, however that ends. An event that was accepted is in the store until it is
//! handled.

mod code;
mod concurrency;
mod creation;
mod dead_letter;
mod description;
mod destination;
mod environment;
mod environments;
mod event_invoke_config;
mod event_invoke_configs;
mod function;
mod functions;
mod invocation;
mod invoke;
mod later;
mod log;
mod name;
mod page;
mod permission;
mod permissions;
mod program;
mod queue;
mod refusal;
mod request;
mod resume;
mod role;
mod routes;
mod runtime_api;
mod settings;
mod tags;
mod waiting;

use self::refusal::INVALID;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) use concurrency::reserve;
pub(crate) use creation::{Creation, remove};
pub(crate) use event_invoke_config::Changes as EventInvokeChanges;
pub(crate) use function::Function;
pub(crate) use later::{invoke_later, wake};
pub(crate) use name::find;
pub(crate) use permissions::{Permission, take_away};

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    resource_policy: permission::resource_policy,
    resume: resume::resume,
    tagged,
    ..Service::new(
        "Lambda",
        wire::Service::rest("lambda", &routes::REST),
        INVALID,
        &[
            Operation::now("AddPermission", |call| permissions::add(&call.endpoint, &call.decode()?)),
            Operation::now("CreateFunction", functions::create),
            Operation::now("DeleteFunction", |call| functions::delete(&call.endpoint, &call.decode()?)),
            Operation::now("DeleteFunctionConcurrency", |call| concurrency::delete(&call.endpoint, &call.decode()?)),
            Operation::now("DeleteFunctionEventInvokeConfig", |call| {
                event_invoke_configs::delete(&call.endpoint, &call.decode()?)
            }),
            Operation::now("GetAccountSettings", |call| concurrency::account_settings(&call.endpoint)),
            Operation::now("GetFunction", |call| functions::get(&call.endpoint, &call.decode()?)),
            Operation::now("GetFunctionConcurrency", |call| concurrency::get(&call.endpoint, &call.decode()?)),
            Operation::now("GetFunctionConfiguration", |call| {
                functions::get_configuration(&call.endpoint, &call.decode()?)
            }),
            Operation::now("GetFunctionEventInvokeConfig", |call| {
                event_invoke_configs::get(&call.endpoint, &call.decode()?)
            }),
            Operation::now("GetPolicy", |call| permissions::get_policy(&call.endpoint, &call.decode()?)),
            Operation::later("Invoke", |call| Box::pin(invoke::invoke(call))),
            Operation::now("ListFunctionEventInvokeConfigs", |call| {
                event_invoke_configs::list(&call.endpoint, &call.decode()?)
            }),
            Operation::now("ListFunctions", |call| functions::list(&call.endpoint, &call.decode()?)),
            Operation::now("ListTags", |call| tags::list_tags(&call.endpoint, &call.decode()?)),
            Operation::now("PutFunctionConcurrency", |call| concurrency::put(&call.endpoint, &call.decode()?)),
            Operation::now("PutFunctionEventInvokeConfig", |call| {
                event_invoke_configs::put(&call.endpoint, call.decode()?, false)
            }),
            Operation::now("RemovePermission", |call| permissions::remove(&call.endpoint, &call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, &call.decode()?)),
            Operation::now("UpdateFunctionCode", |call| functions::update_code(&call.endpoint, &call.decode()?)),
            Operation::now("UpdateFunctionConfiguration", functions::update_configuration),
            Operation::now("UpdateFunctionEventInvokeConfig", |call| {
                event_invoke_configs::put(&call.endpoint, call.decode()?, true)
            }),
        ],
    )
};

/// Every tagged resource of the service.
fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let functions = tx.list::<Function>()?.into_iter().filter(|function| !function.tags.is_empty());
    Ok(functions.map(|function| Tagged { arn: function.arn, tags: function.tags }).collect())
}

/// Ends what runs of functions that are gone, or others now.
pub(crate) fn retire(endpoint: &Endpoint) {
    environments::Environments::retire_all(endpoint);
    crate::ecr::collection::collect(endpoint);
}
