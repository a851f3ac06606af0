//! RunTask: from a request to tasks that are PROVISIONING.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::capacity::StrategyItem;
use super::cluster::Cluster;
use super::container_endpoint::TaskCredentials;
use super::network::{self, NetworkConfiguration};
use super::tags::{self, Tag, Tags};
use super::task::{Desired, Interface, Overrides, Status, Task};
use super::task_definition::{self, DefinitionStatus, TaskDefinition, fargate_size};
use super::{INVALID, client_error, invalid, lifecycle};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};
use crate::{iam, wire};

/// Longest overrides that ECS takes, as JSON.
const MAX_OVERRIDES: usize = 8192;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunTask {
    task_definition: String,
    cluster: Option<String>,
    #[serde(default = "one")]
    count: i64,
    launch_type: Option<String>,
    #[serde(default)]
    capacity_provider_strategy: Vec<StrategyItem>,
    network_configuration: Option<NetworkConfiguration>,
    #[serde(default)]
    overrides: Overrides,
    propagate_tags: Option<String>,
    #[serde(default, rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: bool,
    #[serde(default)]
    enable_execute_command: bool,
    #[serde(default)]
    tags: Vec<Tag>,
    group: Option<String>,
    started_by: Option<String>,
    client_token: Option<String>,
    platform_version: Option<String>,
}

fn one() -> i64 {
    1
}

/// What an earlier request with the same token asked for and got.
#[derive(Serialize, Deserialize)]
pub(super) struct ClientToken {
    id: String,
    fingerprint: String,
    tasks: Vec<String>,
    pub(super) used_at: DateTime<Utc>,
}

impl Record for ClientToken {
    const KIND: &'static str = "ecs.client_token";
    fn id(&self) -> String {
        self.id.clone()
    }
}

pub(super) fn run_task(endpoint: &Arc<Endpoint>, mut input: Value) -> Result<Value, ApiError> {
    // Requests that differ in the token only are the same request.
    let token = input.as_object_mut().and_then(|members| members.remove("clientToken"));
    let fingerprint = format!("{:x}", Sha256::digest(input.to_string()));
    let mut input: RunTask = wire::decode(INVALID, "RunTask", input)?;
    input.client_token = token.map(serde_json::from_value).transpose().map_err(|_| invalid("Invalid clientToken."))?;
    validate(&input)?;
    let own_tags = tags::read(std::mem::take(&mut input.tags))?;
    let (tasks, are_new) = endpoint.store.write(|tx| {
        let cluster = Cluster::find(endpoint, tx, input.cluster.as_deref())?;
        if let Some(tasks) = earlier(tx, &cluster, input.client_token.as_deref(), &fingerprint)? {
            return Ok((tasks, false));
        }
        let tasks = create(endpoint, tx, &cluster, &input, &own_tags)?;
        if let Some(token) = &input.client_token {
            let tasks = tasks.iter().map(Task::id).collect();
            let id = format!("{}/{token}", cluster.name);
            tx.put(&ClientToken { id, fingerprint, tasks, used_at: Utc::now() })?;
        }
        Ok((tasks, true))
    })?;
    if are_new {
        tasks.iter().for_each(|task| lifecycle::start(endpoint, task));
    }
    let tasks: Value = tasks.iter().map(|task| task.describe(true)).collect();
    Ok(json!({"tasks": tasks, "failures": []}))
}

/// What can be told from the request alone.
fn validate(input: &RunTask) -> Result<(), ApiError> {
    if !(1..=10).contains(&input.count) {
        return Err(invalid(if input.count < 1 { "Count must be at least 1." } else { "Count cannot exceed 10." }));
    }
    match input.platform_version.as_deref() {
        None | Some("LATEST" | "1.4.0") => {}
        Some("1.3.0") => return Err(ApiError::unsupported("The platformVersion 1.3.0")),
        Some(_) => return Err(ApiError::new("PlatformUnknownException", "The specified platform does not exist.")),
    }
    match input.propagate_tags.as_deref() {
        None | Some("TASK_DEFINITION" | "NONE") => {}
        Some("SERVICE") => return Err(invalid("propagateTags: SERVICE is not allowed with RunTask.")),
        Some(other) => return Err(invalid(format!("Invalid propagateTags: {other}"))),
    }
    if input.enable_execute_command {
        return Err(ApiError::unsupported("enableExecuteCommand of RunTask"));
    }
    let started_by = input.started_by.as_deref().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
    if started_by.len() > 128 || !started_by.chars().all(allowed) {
        return Err(invalid(
            "startedBy can have up to 128 characters: letters (uppercase and lowercase), numbers, hyphens (-), forward slash (/), and underscores (_).",
        ));
    }
    let token = input.client_token.as_deref().unwrap_or("-");
    if token.is_empty() || token.len() > 64 || !token.bytes().all(|byte| (33..=126).contains(&byte)) {
        return Err(invalid("clientToken must have 1 to 64 ASCII characters in the range of 33-126 (inclusive)."));
    }
    match input.group.as_deref() {
        Some(group) if group.starts_with("service:") => Err(invalid("Invalid namespace for group.")),
        _ => Ok(()),
    }
}

/// The tasks that an earlier request with this token ran.
fn earlier(
    tx: &Tx<'_>,
    cluster: &Cluster,
    token: Option<&str>,
    fingerprint: &str,
) -> Result<Option<Vec<Task>>, ApiError> {
    let Some(token) = token else { return Ok(None) };
    let Some(used) = tx.get::<ClientToken>(&format!("{}/{token}", cluster.name))? else { return Ok(None) };
    let mut tasks = Vec::new();
    for key in &used.tasks {
        tasks.extend(tx.get::<Task>(key)?);
    }
    // A token lives as long as its tasks can be seen.
    if tasks.is_empty() {
        return Ok(None);
    }
    if used.fingerprint != fingerprint {
        let arns: Vec<&str> = tasks.iter().map(|task| task.arn.as_str()).collect();
        return Err(ApiError::new(
            "ConflictException",
            "The request could not be processed because of conflict with the current state: the clientToken is already in use with a different RunTask request.",
        )
        .with("resourceIds", arns));
    }
    Ok(Some(tasks))
}

fn create(
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
    let mut tags = Tags::new();
    if input.enable_ecs_managed_tags {
        tags.insert("aws:ecs:clusterName".to_owned(), cluster.name.clone());
    }
    if input.propagate_tags.as_deref() == Some("TASK_DEFINITION") {
        tags.extend(definition.tags.clone());
    }
    tags.extend(own_tags.clone());
    let role = |own: &Option<String>, of_definition: &Option<String>| {
        own.clone().map(|role| task_definition::role_arn(endpoint, role)).or_else(|| of_definition.clone())
    };
    let role_arn = role(&input.overrides.task_role_arn, &definition.task_role_arn);
    let execution_role_arn = role(&input.overrides.execution_role_arn, &definition.execution_role_arn);
    let mut taken: Vec<String> = tx
        .list::<Task>()?
        .into_iter()
        .filter(|task| !task.is_stopped())
        .map(|task| task.interface.private_address)
        .collect();
    let mut tasks = Vec::new();
    for number in 0..input.count {
        let place = &network.places[usize::try_from(number).unwrap_or_default() % network.places.len()];
        let interface = network::interface(place, &network.security_groups, &mut taken)?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let arn = endpoint.arn("ecs", &format!("task/{}/{id}", cluster.name));
        for role in [&role_arn, &execution_role_arn].into_iter().flatten() {
            check_role(endpoint, tx, role, &arn)?;
        }
        let task = Task {
            id,
            arn,
            role_arn: role_arn.clone(),
            execution_role_arn: execution_role_arn.clone(),
            tags: tags.clone(),
            interface,
            capacity_provider: capacity_provider.clone(),
            ..provisioning(cluster, &definition, input, size)
        };
        tx.put(&task)?;
        tx.put(&TaskCredentials::of(&task))?;
        tasks.push(task);
    }
    Ok(tasks)
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

/// A new task but for what is its own: id, network interface, roles, tags, capacity provider.
fn provisioning(cluster: &Cluster, definition: &TaskDefinition, input: &RunTask, size: (u32, u32)) -> Task {
    let architecture = definition.runtime_platform.as_ref().and_then(|platform| platform.cpu_architecture.clone());
    Task {
        id: String::new(),
        arn: String::new(),
        role_arn: None,
        execution_role_arn: None,
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
        container_id: uuid::Uuid::new_v4().to_string(),
        image_digest: None,
        runtime_id: None,
        exit_code: None,
        container_reason: None,
        access_id: uuid::Uuid::new_v4().to_string(),
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
        if one.environment.iter().any(|variable| variable.name.is_empty() || variable.name.contains('=')) {
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
