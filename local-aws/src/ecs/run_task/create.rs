//! From a request to the records of its tasks.

use chrono::Utc;
use serde_json::json;

use super::request::RunTask;
use crate::ecs::cluster::Cluster;
use crate::ecs::credentials::TaskCredentials;
use crate::ecs::network::{self, Network};
use crate::ecs::refusal::{client_error, invalid};
use crate::ecs::tag::Tags;
use crate::ecs::task::{Desired, Interface, Status, Task};
use crate::ecs::task_definition::KeyValuePair;
use crate::ecs::task_definition::{DefinitionStatus, TaskDefinition, fargate_size, role_arn};
use crate::ecs::task_event;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::Tx;

/// Longest overrides that ECS takes, as JSON.
const MAX_OVERRIDES: usize = 8192;

/// Makes the tasks that the request asks for.
pub(super) fn create(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    cluster: &Cluster,
    input: &RunTask,
    own_tags: &Tags,
) -> Result<Vec<Task>, ApiError> {
    let definition =
        TaskDefinition::find(tx, &input.task_definition)?.ok_or_else(|| client_error("TaskDefinition not found."))?;
    if definition.status != DefinitionStatus::Active {
        return Err(client_error("TaskDefinition is inactive"));
    }
    let capacity_provider = capacity_provider(cluster, input)?;
    let network = network::network(tx, input.network_configuration.as_ref())?;
    let size = apply_size(&definition, input)?;
    let pattern = Task {
        capacity_provider,
        tags: tags(cluster, &definition, input, own_tags),
        ..provisioning(endpoint, cluster, &definition, input, size)
    };
    (0..input.count).map(|number| put(endpoint, tx, &pattern, &network, number)).collect()
}

/// One of the tasks: like the others, but for what is its own.
fn put(endpoint: &Endpoint, tx: &Tx<'_>, pattern: &Task, network: &Network, number: i64) -> Result<Task, ApiError> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let task = Task {
        arn: endpoint.arn("ecs", &format!("task/{}/{id}", pattern.cluster)),
        id,
        interface: network.interface(usize::try_from(number).unwrap_or_default()),
        container_id: uuid::Uuid::new_v4().to_string(),
        access_id: uuid::Uuid::new_v4().to_string(),
        ..pattern.clone()
    };
    for role in [&task.role_arn, &task.execution_role_arn].into_iter().flatten() {
        check_role(endpoint, tx, role, &task.arn)?;
    }
    tx.put(&task)?;
    tx.put(&TaskCredentials::of(&task))?;
    task_event::send(endpoint, tx, &task)?;
    Ok(task)
}

fn tags(cluster: &Cluster, definition: &TaskDefinition, input: &RunTask, own: &Tags) -> Tags {
    let mut tags = Tags::new();
    if input.enable_ecs_managed_tags {
        tags.insert("aws:ecs:clusterName".to_owned(), cluster.name.clone());
    }
    if input.propagate_tags.as_deref() == Some("TASK_DEFINITION") {
        tags.extend(definition.tags.clone());
    }
    tags.extend(own.clone());
    tags
}

/// The capacity provider of the tasks; `None` when their launch type is named. Either way they run on Fargate.
fn capacity_provider(cluster: &Cluster, input: &RunTask) -> Result<Option<String>, ApiError> {
    // What ECS says when it would take an instance, and there is none.
    let no_instance = || invalid("No Container Instances were found in your cluster.");
    match input.launch_type.as_deref() {
        Some(_) if !input.capacity_provider_strategy.is_empty() => Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        )),
        Some("FARGATE") => Ok(None),
        None => cluster.capacity.provider(&input.capacity_provider_strategy)?.map(Some).ok_or_else(no_instance),
        Some("EC2") => Err(no_instance()),
        Some(other @ ("EXTERNAL" | "MANAGED_INSTANCES")) => {
            Err(ApiError::unsupported(format!("The launchType {other}")))
        }
        Some(other) => Err(invalid(format!("Invalid launchType: {other}"))),
    }
}

/// A new task but for what is its own: id and network interface.
fn provisioning(
    endpoint: &Endpoint,
    cluster: &Cluster,
    definition: &TaskDefinition,
    input: &RunTask,
    size: (u32, u32),
) -> Task {
    let role = |own: &Option<String>, of_definition: &Option<String>| {
        own.clone().map(|role| role_arn(endpoint, role)).or_else(|| of_definition.clone())
    };
    let architecture = definition.runtime_platform.as_ref().and_then(|platform| platform.cpu_architecture.clone());
    Task {
        id: String::new(),
        arn: String::new(),
        role_arn: role(&input.overrides.task_role_arn, &definition.task_role_arn),
        execution_role_arn: role(&input.overrides.execution_role_arn, &definition.execution_role_arn),
        tags: Tags::new(),
        interface: Interface::default(),
        capacity_provider: None,
        cluster: cluster.name.clone(),
        cluster_arn: cluster.arn.clone(),
        definition_arn: definition.arn.clone(),
        family: definition.family.clone(),
        revision: definition.revision,
        last_status: Status::Provisioning,
        desired_status: Desired::Running,
        entered_at: None,
        version: 1,
        cpu: size.0,
        memory: size.1,
        // Fargate's default.
        cpu_architecture: architecture.unwrap_or_else(|| "X86_64".to_owned()),
        group: input.group.clone().unwrap_or_else(|| format!("family:{}", definition.family)),
        started_by: input.started_by.clone(),
        overrides: input.overrides.clone(),
        container: definition.container.clone(),
        container_id: String::new(),
        image_digest: None,
        runtime_id: None,
        exit_code: None,
        container_reason: None,
        access_id: String::new(),
        process_name: None,
        stop_signal: None,
        kill_at: None,
        stop_code: None,
        stopped_reason: None,
        created_at: Utc::now(),
        connectivity_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
    }
}

/// The task's size, and whether the overrides fit the definition.
fn apply_size(definition: &TaskDefinition, input: &RunTask) -> Result<(u32, u32), ApiError> {
    let overrides = &input.overrides;
    if json!(overrides).to_string().len() > MAX_OVERRIDES {
        return Err(invalid(format!("Container Overrides length must be at most {MAX_OVERRIDES}")));
    }
    for one in &overrides.container_overrides {
        if one.name != definition.container.name {
            return Err(invalid(format!(
                "Override for container named {} is not a container in the TaskDefinition.",
                one.name
            )));
        }
        if !one.environment.iter().all(KeyValuePair::is_variable) {
            return Err(invalid("Environment variable names should not be null, empty, or have an equals sign."));
        }
    }
    let (cpu, memory) = (definition.cpu.to_string(), definition.memory.to_string());
    fargate_size(overrides.cpu.as_ref().unwrap_or(&cpu), overrides.memory.as_ref().unwrap_or(&memory))
}

fn check_role(endpoint: &Endpoint, tx: &Tx<'_>, role: &str, task_arn: &str) -> Result<(), ApiError> {
    iam::assume(endpoint, tx, role, "ecs-tasks.amazonaws.com", task_arn).map_err(|error| {
        if error.status >= 500 {
            return error;
        }
        client_error(format!(
            "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
        ))
    })
}
