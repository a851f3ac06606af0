//! StopTask, DescribeTasks, ListTasks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::active;
use super::changes;
use super::cluster::Cluster;
use super::list;
use super::refusal::invalid;
use super::task::{Desired, Task};
use super::task_description::describe;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// The task meant by id or ARN within `cluster`.
fn find(endpoint: &Endpoint, tx: &Tx<'_>, cluster: &Cluster, reference: &str) -> Result<Option<Task>, ApiError> {
    let id = if reference.starts_with("arn:") {
        let prefix = endpoint.arn("ecs", "task/");
        let Some((name, id)) = reference.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else {
            return Err(invalid(format!("Invalid identifier: {reference}")));
        };
        if name != cluster.name {
            return Err(invalid(format!(
                "Invalid identifier: Identifier is for cluster {name}. Your cluster is {}",
                cluster.name
            )));
        }
        id
    } else {
        reference
    };
    // New ids and those of before 2019.
    if ![32, 36].contains(&id.len()) {
        return Err(invalid("taskId length should be one of [32,36]"));
    }
    tx.get(&format!("{}/{id}", cluster.name))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StopTask {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

pub(super) fn stop_task(endpoint: &Endpoint, input: StopTask) -> Result<Value, ApiError> {
    let task = endpoint.store.write(|tx| {
        let cluster = Cluster::find(endpoint, tx, input.cluster.as_deref())?;
        let task = find(endpoint, tx, &cluster, &input.task)?;
        let mut task = task.ok_or_else(|| invalid("The referenced task was not found."))?;
        let reason = input.reason.as_deref().unwrap_or("Task stopped by user");
        active::request_stop(endpoint, tx, &mut task, reason)?;
        Ok(task)
    })?;
    changes::tell(endpoint);
    Ok(json!({"task": describe(&task, false)}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DescribeTasks {
    cluster: Option<String>,
    #[serde(default)]
    tasks: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe_tasks(endpoint: &Endpoint, input: DescribeTasks) -> Result<Value, ApiError> {
    if input.tasks.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if input.tasks.len() > 100 {
        return Err(invalid("Tasks cannot have more than 100 elements."));
    }
    if let Some(other) = input.include.iter().find(|part| *part != "TAGS") {
        return Err(invalid(format!("Invalid include value: {other}")));
    }
    endpoint.store.read(|tx| {
        let cluster = Cluster::find(endpoint, tx, input.cluster.as_deref())?;
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        for reference in &input.tasks {
            match find(endpoint, tx, &cluster, reference)? {
                Some(task) => tasks.push(describe(&task, !input.include.is_empty())),
                None => {
                    let id = reference.rsplit('/').next().unwrap_or_default();
                    let arn = endpoint.arn("ecs", &format!("task/{}/{id}", cluster.name));
                    failures.push(json!({"arn": arn, "reason": "MISSING"}));
                }
            }
        }
        Ok(json!({"tasks": tasks, "failures": failures}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListTasks {
    cluster: Option<String>,
    family: Option<String>,
    started_by: Option<String>,
    desired_status: Option<String>,
    launch_type: Option<String>,
    service_name: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// What ListTasks looks at of a task: there may be a thousand that have stopped.
#[derive(Serialize, Deserialize)]
struct Listed {
    id: String,
    cluster: String,
    arn: String,
    family: String,
    desired_status: Desired,
    started_by: Option<String>,
    created_at: DateTime<Utc>,
}

impl Record for Listed {
    const KIND: &'static str = Task::KIND;
    fn id(&self) -> String {
        format!("{}/{}", self.cluster, self.id)
    }
}

pub(super) fn list_tasks(endpoint: &Endpoint, input: ListTasks) -> Result<Value, ApiError> {
    if input.service_name.is_some() {
        return Err(ApiError::new("ServiceNotFoundException", "Service not found."));
    }
    let alone = input.family.is_none() && input.desired_status.is_none() && input.launch_type.is_none();
    if input.started_by.is_some() && !alone {
        return Err(invalid("startedBy must be the only filter that is used."));
    }
    // A task that is started by name is looked for among all that should be running, as on ECS.
    let desired = match input.desired_status.as_deref() {
        None | Some("RUNNING") => Desired::Running,
        Some("STOPPED") => Desired::Stopped,
        // ECS never sets this one: "The desired status of a task is never PENDING."
        Some("PENDING") => return list::answer("taskArns", Vec::new(), false, input.max_results, None),
        Some(other) => return Err(invalid(format!("Invalid desiredStatus: {other}"))),
    };
    match input.launch_type.as_deref() {
        None | Some("FARGATE") => {}
        Some("EC2" | "EXTERNAL" | "MANAGED_INSTANCES") => {
            return list::answer("taskArns", Vec::new(), false, input.max_results, None);
        }
        Some(other) => return Err(invalid(format!("Invalid launchType: {other}"))),
    }
    let tasks = endpoint.store.read(|tx| {
        let cluster = Cluster::find(endpoint, tx, input.cluster.as_deref())?;
        tx.list_prefix::<Listed>(&format!("{}/", cluster.name))
    })?;
    let mut items: Vec<(String, String)> = tasks
        .into_iter()
        .filter(|task| task.desired_status == desired)
        .filter(|task| input.family.as_ref().is_none_or(|family| *family == task.family))
        .filter(|task| input.started_by.is_none() || input.started_by == task.started_by)
        .map(|task| (format!("{:020}/{}", task.created_at.timestamp_micros(), task.id), task.arn))
        .collect();
    items.sort();
    list::answer("taskArns", items, false, input.max_results, input.next_token.as_deref())
}
