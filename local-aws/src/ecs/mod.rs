//! ECS on Fargate, where a task is a real process.
//!
//! # Layout
//! - `cluster`, `capacity`, `task_definition`, `task`, `tag`: what there is
//! - `clusters`, `task_definitions`, `tasks`, `tags`: the calls that make, change and show it
//! - `run_task`, `network`: from a request to tasks that are PROVISIONING
//! - `lifecycle`: takes each task from state to state until it is STOPPED; `changes`: told by requests; `resume`: after a
//!   restart
//! - `launch`: what a task needs to start; `container`: from image and definition to a program; `execution_role`: what ECS
//!   may do for it; `supervision`: its process (see `program`)
//! - `container_endpoint`, `credentials`: credentials and metadata for the program
//! - `task_event`: what EventBridge is told of each change
//! - `permission`: what a role must be allowed for a call
//! - `active`: for the services that stop tasks; `gated`: for the gate
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
//! A process outlives the endpoint: see `program` for how it is found again.

pub(crate) mod active;
pub(crate) mod capacity;
mod changes;
mod client_token;
pub(crate) mod cluster;
pub(crate) mod clusters;
mod container;
mod container_endpoint;
mod credentials;
mod execution_role;
pub(crate) mod gated;
pub(crate) mod latency;
mod launch;
mod lifecycle;
mod list;
mod network;
mod permission;
mod prepare;
mod refusal;
mod resume;
pub(crate) mod run_task;
pub(crate) mod signal;
mod supervision;
pub(crate) mod tag;
mod tags;
mod task;
pub(crate) mod task_definition;
pub(crate) mod task_definitions;
mod task_description;
mod task_event;
mod tasks;
mod time;

pub(crate) use self::container_endpoint::DOOR;
use crate::service::{Operation, Service};
use crate::wire;

pub(crate) static SERVICE: Service = Service {
    prepare: prepare::drop_empty,
    resume: resume::resume,
    forget: resume::forget,
    tagged: tags::tagged,
    needs: permission::needs,
    ..Service::new(
        "ECS",
        wire::Service::json("ecs", "1.1", &["AmazonEC2ContainerServiceV20141113"]),
        refusal::INVALID,
        &[
            Operation::now("CreateCluster", |call| clusters::create_cluster(&call.endpoint, call.decode()?)),
            Operation::now("DeleteCluster", |call| clusters::delete_cluster(&call.endpoint, call.decode()?)),
            Operation::now("DeleteTaskDefinitions", |call| {
                task_definitions::delete_task_definitions(&call.endpoint, call.decode()?)
            }),
            Operation::now("DeregisterTaskDefinition", |call| {
                task_definitions::deregister_task_definition(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeClusters", |call| clusters::describe_clusters(&call.endpoint, call.decode()?)),
            Operation::now("DescribeTaskDefinition", |call| {
                task_definitions::describe_task_definition(&call.endpoint, call.decode()?)
            }),
            Operation::now("DescribeTasks", |call| tasks::describe_tasks(&call.endpoint, call.decode()?)),
            Operation::now("ListClusters", |call| clusters::list_clusters(&call.endpoint, call.decode()?)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, call.decode()?)),
            Operation::now("ListTaskDefinitionFamilies", |call| {
                task_definitions::list_task_definition_families(&call.endpoint, call.decode()?)
            }),
            Operation::now("ListTaskDefinitions", |call| {
                task_definitions::list_task_definitions(&call.endpoint, call.decode()?)
            }),
            Operation::now("ListTasks", |call| tasks::list_tasks(&call.endpoint, call.decode()?)),
            Operation::now("PutClusterCapacityProviders", |call| {
                clusters::put_cluster_capacity_providers(&call.endpoint, call.decode()?)
            }),
            Operation::now("RegisterTaskDefinition", |call| {
                task_definitions::register_task_definition(&call.endpoint, call.decode_or(refusal::CLIENT)?)
            }),
            Operation::now("RunTask", |call| {
                run_task::run_task(&call.endpoint, call.decode()?, run_task::fingerprint(call.input))
            }),
            Operation::now("StopTask", |call| tasks::stop_task(&call.endpoint, call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, call.decode()?)),
        ],
    )
};

#[cfg(test)]
mod tests;
