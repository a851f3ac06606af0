//! ECS on Fargate, where a task is a real process.
//!
//! # Layout
//! - `cluster`, `capacity`, `task_definition`, `tags`, `page`: what is there, and the calls that show it
//! - `run_task`, `network`: from a request to tasks that are PROVISIONING; `tasks`: StopTask, DescribeTasks, ListTasks
//! - `task`: the record of a task and its states
//! - `lifecycle`: takes each task from state to state until it is STOPPED
//! - `container`: from image and definition to a program; `process`: the process; `output`: its log
//! - `execution_role`: what ECS may do to start it
//! - `container_endpoint`: credentials and metadata for the program
//!
//! # What a task is here, and what not
//! The program of the image's entry point runs on this machine, out of the unpacked image, as the user of the endpoint.
//! It is no container: it has no namespaces and no root directory of its own, its `cpu` and `memory` are no limits, its
//! image's file system is shared by all tasks of the image and not read-only, and the network is the host's (its
//! network interface exists in the API only). So the image should hold a static program, or one that fits this host.
//!
//! Its environment is that of a Fargate task with one addition and one difference. `AWS_ENDPOINT_URL` points at this
//! endpoint, without which the program would talk to AWS. And its credentials are at
//! `AWS_CONTAINER_CREDENTIALS_FULL_URI`; on Fargate it is `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, which means a
//! link-local address that this machine does not have. Every SDK takes both.
//!
//! A process outlives the endpoint: see `process` for how it is found again.

pub(crate) mod capacity;
pub(crate) mod cluster;
mod container;
mod container_endpoint;
mod execution_role;
pub(crate) mod latency;
mod lifecycle;
mod network;
mod output;
mod page;
mod process;
mod run_task;
pub(crate) mod tags;
mod task;
pub(crate) mod task_definition;
mod tasks;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use self::cluster::Cluster;
use self::task::{StopCode, Task};
use self::task_definition::{DefinitionStatus, TaskDefinition};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) use self::container_endpoint::DOOR;

/// ECS's code for most wrong parameters.
const INVALID: &str = "InvalidParameterException";

/// ECS's code for what it cannot do with right ones, and for all that is wrong with a task definition.
const CLIENT: &str = "ClientException";

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

fn client_error(message: impl Into<String>) -> ApiError {
    ApiError::new(CLIENT, message)
}

/// The time as this service writes it: seconds, with milliseconds.
fn epoch(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

pub(crate) static SERVICE: Service = Service {
    prepare: drop_empty,
    resume: lifecycle::resume,
    tagged,
    ..Service::new(
        "ECS",
        wire::Service::json("ecs", "1.1", &["AmazonEC2ContainerServiceV20141113"]),
        INVALID,
        &[
            Operation::now("CreateCluster", |call| cluster::create_cluster(&call.endpoint, call.input)),
            Operation::now("DeleteCluster", |call| cluster::delete_cluster(&call.endpoint, call.input)),
            Operation::now("DeleteTaskDefinitions", |call| {
                task_definition::delete_task_definitions(&call.endpoint, call.input)
            }),
            Operation::now("DeregisterTaskDefinition", |call| {
                task_definition::deregister_task_definition(&call.endpoint, call.input)
            }),
            Operation::now("DescribeClusters", |call| cluster::describe_clusters(&call.endpoint, call.input)),
            Operation::now("DescribeTaskDefinition", |call| {
                task_definition::describe_task_definition(&call.endpoint, call.input)
            }),
            Operation::now("DescribeTasks", |call| tasks::describe_tasks(&call.endpoint, call.input)),
            Operation::now("ListClusters", |call| cluster::list_clusters(&call.endpoint, call.input)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, call.input)),
            Operation::now("ListTaskDefinitionFamilies", |call| {
                task_definition::list_task_definition_families(&call.endpoint, call.input)
            }),
            Operation::now("ListTaskDefinitions", |call| {
                task_definition::list_task_definitions(&call.endpoint, call.input)
            }),
            Operation::now("ListTasks", |call| tasks::list_tasks(&call.endpoint, call.input)),
            Operation::now("PutClusterCapacityProviders", |call| {
                capacity::put_cluster_capacity_providers(&call.endpoint, call.input)
            }),
            Operation::now("RegisterTaskDefinition", |call| {
                task_definition::register_task_definition(&call.endpoint, call.input)
            }),
            Operation::now("RunTask", |call| run_task::run_task(&call.endpoint, call.input)),
            Operation::now("StopTask", |call| tasks::stop(&call.endpoint, call.input)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.input)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, call.input)),
        ],
    )
};

/// Takes away members that say nothing. Tools send what ECS describes back to it, with `"volumes": []` and the like:
/// that asks for nothing that could be refused.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null() && member.as_array().is_none_or(|list| !list.is_empty()));
            members.values_mut().for_each(drop_empty);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

/// A task that has not reached STOPPED, as FIS and EC2 see it.
#[derive(Debug, Clone)]
pub(crate) struct ActiveTask {
    pub(crate) arn: String,
    pub(crate) cluster_arn: String,
    pub(crate) subnet_id: String,
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) tags: std::collections::BTreeMap<String, String>,
    /// The task as DescribeTasks shows it (camelCase members).
    pub(crate) description: Value,
}

/// The tasks that have not reached STOPPED.
pub(crate) fn active_tasks(tx: &Tx<'_>) -> Result<Vec<ActiveTask>, ApiError> {
    let tasks = tx.list::<Task>()?.into_iter().filter(|task| !task.is_stopped());
    Ok(tasks
        .map(|task| ActiveTask {
            description: task.describe(true),
            arn: task.arn,
            cluster_arn: task.cluster_arn,
            subnet_id: task.interface.subnet_id,
            security_group_ids: task.interface.security_groups,
            tags: task.tags,
        })
        .collect())
}

/// StopTask with `reason` as the task's stoppedReason.
pub(crate) fn stop_task(endpoint: &Arc<Endpoint>, task_arn: &str, reason: &str) -> Result<(), ApiError> {
    endpoint.store.write(|tx| {
        let mut task = Task::by_arn(tx, task_arn)?.ok_or_else(|| invalid("The referenced task was not found."))?;
        task.request_stop(StopCode::UserInitiated, reason);
        tx.put(&task)
    })?;
    lifecycle::wake();
    Ok(())
}

/// Every tagged resource of the service.
fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let clusters = tx.list::<Cluster>()?.into_iter().filter(Cluster::is_active).map(|one| (one.arn, one.tags));
    let definitions = tx
        .list::<TaskDefinition>()?
        .into_iter()
        .filter(|definition| definition.status == DefinitionStatus::Active)
        .map(|one| (one.arn, one.tags));
    let tasks = tx.list::<Task>()?.into_iter().map(|one| (one.arn, one.tags));
    Ok(clusters
        .chain(definitions)
        .chain(tasks)
        .filter(|(_, tags)| !tags.is_empty())
        .map(|(arn, tags)| Tagged { arn, tags })
        .collect())
}
