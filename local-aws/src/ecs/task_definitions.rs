//! What makes, changes and shows task definitions.

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::list;
use super::refusal::{client_error, invalid};
use super::tag::{self, Tags};
use super::task::Task;
use super::task_definition::{
    DefinitionStatus, Family, RegisterTaskDefinition, TaskDefinition, fargate_size, role_arn, validate,
};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// Registers the next revision of a family.
pub(crate) fn register(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    input: RegisterTaskDefinition,
    tags: Tags,
) -> Result<TaskDefinition, ApiError> {
    validate(endpoint, &input)?;
    let (cpu, memory) =
        fargate_size(input.cpu.as_deref().unwrap_or_default(), input.memory.as_deref().unwrap_or_default())?;
    let mut family =
        tx.get::<Family>(&input.family)?.unwrap_or_else(|| Family { name: input.family.clone(), last_revision: 0 });
    family.last_revision += 1;
    tx.put(&family)?;
    let mut containers = input.container_definitions;
    let Some(mut container) = containers.pop() else {
        return Err(client_error("Container list cannot be empty."));
    };
    for port in &mut container.port_mappings {
        port.fill_in();
    }
    let definition = TaskDefinition {
        arn: endpoint.arn("ecs", &format!("task-definition/{}:{}", family.name, family.last_revision)),
        family: family.name,
        revision: family.last_revision,
        status: DefinitionStatus::Active,
        task_role_arn: input.task_role_arn.map(|role| role_arn(endpoint, role)),
        execution_role_arn: input.execution_role_arn.map(|role| role_arn(endpoint, role)),
        container,
        requires_compatibilities: input.requires_compatibilities,
        cpu,
        memory,
        runtime_platform: input.runtime_platform,
        tags,
        registered_at: Utc::now(),
        deregistered_at: None,
        delete_requested_at: None,
    };
    tx.put(&definition)?;
    Ok(definition)
}

pub(super) fn register_task_definition(
    endpoint: &Endpoint,
    mut input: RegisterTaskDefinition,
) -> Result<Value, ApiError> {
    let tags = tag::read(std::mem::take(&mut input.tags))?;
    endpoint.store.write(|tx| {
        let definition = register(endpoint, tx, input, tags)?;
        Ok(json!({"taskDefinition": definition.describe()?, "tags": tag::shown(&definition.tags)}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DescribeTaskDefinition {
    task_definition: String,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe_task_definition(endpoint: &Endpoint, input: DescribeTaskDefinition) -> Result<Value, ApiError> {
    let definition = endpoint.store.read(|tx| TaskDefinition::find(tx, &input.task_definition))?;
    let definition = definition.ok_or_else(|| client_error("Unable to describe task definition."))?;
    let mut answer = Map::new();
    answer.insert("taskDefinition".to_owned(), definition.describe()?);
    if input.include.iter().any(|part| part == "TAGS") {
        answer.insert("tags".to_owned(), tag::shown(&definition.tags));
    }
    Ok(Value::Object(answer))
}

/// Makes a revision INACTIVE: no new task runs from it.
pub(crate) fn deregister(tx: &Tx<'_>, reference: &str) -> Result<Option<TaskDefinition>, ApiError> {
    let Some(mut definition) = TaskDefinition::find(tx, reference)? else { return Ok(None) };
    if definition.status == DefinitionStatus::Active {
        definition.status = DefinitionStatus::Inactive;
        definition.deregistered_at = Some(Utc::now());
        tx.put(&definition)?;
    }
    Ok(Some(definition))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeregisterTaskDefinition {
    task_definition: String,
}

pub(super) fn deregister_task_definition(
    endpoint: &Endpoint,
    input: DeregisterTaskDefinition,
) -> Result<Value, ApiError> {
    if !input.task_definition.rsplit('/').next().is_some_and(|name| name.contains(':')) {
        return Err(client_error("Task definition revision is not specified."));
    }
    let definition = endpoint.store.write(|tx| deregister(tx, &input.task_definition))?;
    let definition = definition.ok_or_else(|| client_error("The specified task definition does not exist."))?;
    Ok(json!({"taskDefinition": definition.describe()?}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeleteTaskDefinitions {
    #[serde(default)]
    task_definitions: Vec<String>,
}

pub(super) fn delete_task_definitions(endpoint: &Endpoint, input: DeleteTaskDefinitions) -> Result<Value, ApiError> {
    if !(1..=10).contains(&input.task_definitions.len()) {
        return Err(invalid("Specify 1 to 10 task definitions."));
    }
    endpoint.store.write(|tx| {
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for reference in &input.task_definitions {
            let failure = |reason: &str| json!({"arn": reference, "reason": reason});
            match TaskDefinition::find(tx, reference)? {
                None => failures.push(failure("The specified task definition does not exist.")),
                Some(definition) if definition.status == DefinitionStatus::Active => failures.push(failure(
                    "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
                )),
                Some(mut definition) => {
                    definition.status = DefinitionStatus::DeleteInProgress;
                    definition.delete_requested_at.get_or_insert_with(Utc::now);
                    deleted.push(definition.describe()?);
                    tx.put(&definition)?;
                }
            }
        }
        drop_deleted(tx)?;
        Ok(json!({"taskDefinitions": deleted, "failures": failures}))
    })
}

/// Forgets deleted revisions that no task runs any more.
pub(super) fn drop_deleted(tx: &Tx<'_>) -> Result<(), ApiError> {
    let tasks = tx.list::<Task>()?;
    for definition in tx.list::<TaskDefinition>()? {
        let in_use = || tasks.iter().any(|task| !task.is_stopped() && task.definition_arn == definition.arn);
        if definition.status == DefinitionStatus::DeleteInProgress && !in_use() {
            tx.delete::<TaskDefinition>(&definition.id())?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListTaskDefinitions {
    family_prefix: Option<String>,
    #[serde(default = "active")]
    status: DefinitionStatus,
    sort: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

fn active() -> DefinitionStatus {
    DefinitionStatus::Active
}

pub(super) fn list_task_definitions(endpoint: &Endpoint, input: ListTaskDefinitions) -> Result<Value, ApiError> {
    let descending = match input.sort.as_deref() {
        None | Some("ASC") => false,
        Some("DESC") => true,
        Some(other) => return Err(invalid(format!("Invalid sort: {other}"))),
    };
    let mut items: Vec<(String, String)> = endpoint
        .store
        .read(|tx| tx.list::<TaskDefinition>())?
        .into_iter()
        .filter(|definition| definition.status == input.status)
        // In spite of its name the whole family, as in AWS's documentation.
        .filter(|definition| input.family_prefix.as_ref().is_none_or(|family| *family == definition.family))
        .map(|definition| (definition.id(), definition.arn))
        .collect();
    if descending {
        items.reverse();
    }
    list::answer("taskDefinitionArns", items, descending, input.max_results, input.next_token.as_deref())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListTaskDefinitionFamilies {
    family_prefix: Option<String>,
    status: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn list_task_definition_families(
    endpoint: &Endpoint,
    input: ListTaskDefinitionFamilies,
) -> Result<Value, ApiError> {
    let definitions = endpoint.store.read(|tx| tx.list::<TaskDefinition>())?;
    let mut families = std::collections::BTreeMap::new();
    for definition in definitions.iter().filter(|one| one.status != DefinitionStatus::DeleteInProgress) {
        *families.entry(&definition.family).or_insert(false) |= definition.status == DefinitionStatus::Active;
    }
    // A family is ACTIVE as long as one of its revisions is.
    let wanted = |is_active: bool| match input.status.as_deref() {
        None | Some("ALL") => Ok(true),
        Some("ACTIVE") => Ok(is_active),
        Some("INACTIVE") => Ok(!is_active),
        Some(other) => Err(invalid(format!("Invalid status: {other}"))),
    };
    wanted(true)?;
    let prefix = input.family_prefix.as_deref().unwrap_or_default();
    let items = families
        .into_iter()
        .filter(|(family, is_active)| family.starts_with(prefix) && wanted(*is_active).unwrap_or(false))
        .map(|(family, _)| (family.clone(), family.clone()))
        .collect();
    list::answer("families", items, false, input.max_results, input.next_token.as_deref())
}
