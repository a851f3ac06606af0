//! ECS: running tasks, looking at them, stopping them.

mod run;
mod stop;

pub(crate) use run::{Overrides, run};
pub(crate) use stop::{stop, stop_all, wait_stopped};

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{self, DesiredStatus, TaskDefinitionFamilyStatus, TaskField, TaskStopCode};
use serde::Serialize;
use std::collections::BTreeMap;

use super::arn::task_id;
use super::clients::Clients;
use super::deployed::Deployed;
use super::in_json;
use super::patience::Patience;
use crate::error::{Doing, Error, Result};

/// Variable of the workers with the number of items.
const BATCH_SIZE: &str = "BATCH_SIZE";

const RUNNING: &str = "RUNNING";
const STOPPED: &str = "STOPPED";

/// A task as DescribeTasks shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Task {
    pub(crate) task_arn: String,
    /// ARN of its definition, with the revision.
    pub(crate) task_definition_arn: String,
    /// Where it is in its life; the SDK has no type for these.
    pub(crate) last_status: String,
    /// What it shall be: [`RUNNING`] or [`STOPPED`].
    pub(crate) desired_status: String,
    pub(crate) created_at: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) stopped_at: Option<String>,
    #[serde(serialize_with = "in_json::optional")]
    pub(crate) stop_code: Option<TaskStopCode>,
    pub(crate) stopped_reason: Option<String>,
    /// Exit code of the worker's container; a task that never started has none.
    pub(crate) exit_code: Option<i32>,
    /// What went wrong with the container.
    pub(crate) container_reason: Option<String>,
    /// Tags; ECS drops them when the task stops.
    pub(crate) tags: BTreeMap<String, String>,
    /// Who has started it, in the words of who did.
    pub(crate) started_by: Option<String>,
    /// Items of its batch, if it was run with another number than its definition's.
    #[serde(skip)]
    pub(crate) batch_size: Option<u64>,
    /// What else ECS knows of when.
    #[serde(skip)]
    pub(crate) times: Times,
}

/// The times of a task between those that everybody asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Times {
    pub(crate) connected_at: Option<String>,
    pub(crate) pull_started_at: Option<String>,
    pub(crate) pull_stopped_at: Option<String>,
    pub(crate) stopping_at: Option<String>,
    pub(crate) execution_stopped_at: Option<String>,
}

impl Task {
    /// It has reached its end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.last_status == STOPPED
    }

    /// Its container runs.
    pub(crate) fn is_running(&self) -> bool {
        self.last_status == RUNNING
    }

    /// It runs or is on its way there.
    pub(crate) fn should_run(&self) -> bool {
        self.desired_status == RUNNING
    }

    fn of(task: &types::Task, container: Option<&str>) -> Self {
        let worker = task.containers().iter().find(|c| container.is_none() || c.name() == container);
        let text = |value: Option<&str>| value.map(str::to_owned);
        let tags = task.tags().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
        Self {
            task_arn: task.task_arn().unwrap_or_default().to_owned(),
            task_definition_arn: task.task_definition_arn().unwrap_or_default().to_owned(),
            last_status: task.last_status().unwrap_or_default().to_owned(),
            desired_status: task.desired_status().unwrap_or_default().to_owned(),
            created_at: task.created_at().and_then(timestamp),
            started_at: task.started_at().and_then(timestamp),
            stopped_at: task.stopped_at().and_then(timestamp),
            stop_code: task.stop_code().cloned(),
            stopped_reason: text(task.stopped_reason()),
            exit_code: worker.and_then(types::Container::exit_code),
            container_reason: worker.and_then(|worker| text(worker.reason())),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            started_by: text(task.started_by()),
            batch_size: batch_size(task),
            times: Times::of(task),
        }
    }
}

impl Times {
    fn of(task: &types::Task) -> Self {
        Self {
            connected_at: task.connectivity_at().and_then(timestamp),
            pull_started_at: task.pull_started_at().and_then(timestamp),
            pull_stopped_at: task.pull_stopped_at().and_then(timestamp),
            stopping_at: task.stopping_at().and_then(timestamp),
            execution_stopped_at: task.execution_stopped_at().and_then(timestamp),
        }
    }
}

fn batch_size(task: &types::Task) -> Option<u64> {
    let overrides = task.overrides()?.container_overrides().iter().flat_map(types::ContainerOverride::environment);
    overrides.filter(|pair| pair.name() == Some(BATCH_SIZE)).find_map(|pair| pair.value()?.parse().ok())
}

/// RFC 3339 with milliseconds, in UTC.
pub(crate) fn timestamp(time: &DateTime) -> Option<String> {
    let time = chrono::DateTime::from_timestamp(time.secs(), time.subsec_nanos())?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// The tasks that shall run in the cluster, with their tags. A cluster that does not exist has none.
pub(crate) async fn active(clients: &Clients, cluster: &str) -> Result<Vec<Task>> {
    describe_all(clients, cluster, &list(clients, cluster, DesiredStatus::Running).await?).await
}

/// All tasks of the cluster, the newest first: those that shall run, and those that are stopped or stopping, as long as
/// ECS remembers them (about an hour).
pub(crate) async fn all(clients: &Clients, cluster: &str) -> Result<Vec<Task>> {
    // A task that stops between the two requests is on both lists. The other way round it would be on none.
    let mut arns = list(clients, cluster, DesiredStatus::Running).await?;
    let ended = list(clients, cluster, DesiredStatus::Stopped).await?;
    arns.retain(|arn| !ended.contains(arn));
    arns.extend(ended);
    let mut tasks = describe_all(clients, cluster, &arns).await?;
    tasks.sort_by(|a, b| b.created_at.cmp(&a.created_at));
    Ok(tasks)
}

/// The tasks of the environment as it is today. ECS also remembers those of one of the same name that was deleted
/// before: they are older than its stack.
pub(crate) async fn of_environment(clients: &Clients, deployed: &Deployed) -> Result<Vec<Task>> {
    let mut tasks = all(clients, deployed.cluster()?).await?;
    tasks.retain(|task| task.created_at.is_none() || task.created_at.as_deref() >= deployed.created_at());
    Ok(tasks)
}

/// Whether the cluster is there.
pub(crate) async fn has_cluster(clients: &Clients, cluster: &str) -> Result<bool> {
    let answer = clients.ecs.list_tasks().cluster(cluster).max_results(1).send().await;
    match answer.doing(format_args!("Listing the tasks of {cluster}")) {
        Ok(_) => Ok(true),
        Err(error) if error.has_code(&["ClusterNotFoundException"]) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Families of task definitions with this start of their name that have a revision which can be run.
pub(crate) async fn families(clients: &Clients, prefix: &str) -> Result<Vec<String>> {
    let mut families = Vec::new();
    let mut next = None;
    loop {
        let request = clients.ecs.list_task_definition_families().family_prefix(prefix);
        let request = request.status(TaskDefinitionFamilyStatus::Active).set_next_token(next);
        let page = request.send().await.doing("Listing the task definitions")?;
        families.extend(page.families().iter().cloned());
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(families);
        }
    }
}

/// ARNs of the tasks that shall be in this state.
async fn list(clients: &Clients, cluster: &str, state: DesiredStatus) -> Result<Vec<String>> {
    let mut arns = Vec::new();
    let mut next = None;
    loop {
        let request = clients.ecs.list_tasks().cluster(cluster).desired_status(state.clone()).set_next_token(next);
        match request.send().await.doing(format_args!("Listing the tasks of {cluster}")) {
            Ok(page) => {
                arns.extend(page.task_arns().iter().cloned());
                next = page.next_token().map(str::to_owned);
            }
            Err(error) if error.has_code(&["ClusterNotFoundException"]) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        if next.is_none() {
            return Ok(arns);
        }
    }
}

async fn describe_all(clients: &Clients, cluster: &str, arns: &[String]) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for some in arns.chunks(100) {
        match describe(clients, cluster, some, None).await {
            Ok(described) => tasks.extend(described),
            // Deleted since its tasks were listed.
            Err(error) if error.has_code(&["ClusterNotFoundException"]) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(tasks)
}

/// The tasks with these ARNs (100 at most); those that ECS does not know (yet) are left out.
pub(crate) async fn describe(
    clients: &Clients,
    cluster: &str,
    arns: &[String],
    container: Option<&str>,
) -> Result<Vec<Task>> {
    let request = clients.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).include(TaskField::Tags);
    let answer = request.send().await.doing("Describing tasks")?;
    Ok(answer.tasks().iter().map(|task| Task::of(task, container)).collect())
}

/// The task with this ARN. RunTask's answer is there a little before DescribeTasks knows the task: until then ECS calls
/// it MISSING.
///
/// # Errors
/// When ECS does not know it for longer than that.
pub(crate) async fn get(clients: &Clients, deployed: &Deployed, task_arn: &str) -> Result<Task> {
    let mut patience = Patience::for_visibility(clients);
    loop {
        let arns = [task_arn.to_owned()];
        let tasks = describe(clients, deployed.cluster()?, &arns, Some(deployed.container()?)).await?;
        if let Some(task) = tasks.into_iter().next() {
            return Ok(task);
        }
        if !patience.wait().await {
            return Err(Error::failed(format!("ECS does not know the task {}.", task_id(task_arn))).hint(format!(
                "It remembers stopped tasks for about an hour; `fis-workshop status{}` shows those that it knows.",
                deployed.environment.flag()
            )));
        }
    }
}

/// Every cluster of the account in this region, by ARN.
pub(crate) async fn clusters(clients: &Clients) -> Result<Vec<String>> {
    let mut arns = Vec::new();
    let mut next = None;
    loop {
        let page = clients.ecs.list_clusters().set_next_token(next).send().await.doing("Listing the clusters")?;
        arns.extend(page.cluster_arns().iter().cloned());
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(arns);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::scripted::{Script, deployed, task};

    #[test]
    fn the_worker_is_found_by_its_name_among_injected_containers() {
        let agent = types::Container::builder().name("aws-guardduty-agent-x").exit_code(0).build();
        let worker = types::Container::builder().name("BatchJob").exit_code(143).build();
        let task = types::Task::builder().task_arn("a").containers(agent).containers(worker).build();
        assert_eq!(Task::of(&task, Some("BatchJob")).exit_code, Some(143));
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(timestamp(&DateTime::from_secs_f64(0.25)).as_deref(), Some("1970-01-01T00:00:00.250Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_is_missing_at_first_is_found() {
        let missing = json!({"tasks": [], "failures": [{"arn": "a", "reason": "MISSING"}]});
        let script = Script::default()
            .answer("DescribeTasks", missing.clone())
            .answer("DescribeTasks", missing)
            .answer("DescribeTasks", json!({"tasks": [task("0f", "PENDING")]}));
        assert_eq!(get(&script.clients(), &deployed(), "0f").await.unwrap().last_status, "PENDING");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_stays_missing_is_named_after_a_minute() {
        let script =
            Script::default().answer("DescribeTasks", json!({"failures": [{"arn": "a", "reason": "MISSING"}]}));
        let begin = tokio::time::Instant::now();
        let error = get(&script.clients(), &deployed(), "task/0f").await.unwrap_err();
        assert!(error.to_string().contains("does not know the task 0f"), "{error}");
        assert!((60..70).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    }
}
