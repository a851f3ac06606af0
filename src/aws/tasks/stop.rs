//! Stopping tasks, and waiting until they are STOPPED.

use std::time::Duration;

use super::{Task, active, all, get};
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::patience::Patience;
use crate::error::{Doing, Error, Result};

/// How long a task may take from StopTask to STOPPED: `stopTimeout` is 120 s at most on Fargate, and taking the network
/// interface away takes another half a minute or more.
const STOP_LIMIT: Duration = Duration::from_secs(300);

/// Asks ECS to stop the task. One that is stopped already stays so.
pub(crate) async fn stop(clients: &Clients, cluster: &str, task_arn: &str, reason: &str) -> Result<()> {
    let request = clients.ecs.stop_task().cluster(cluster).task(task_arn).reason(reason);
    match request.send().await.doing(format_args!("Stopping the task {}", task_id(task_arn))) {
        Ok(_) => Ok(()),
        Err(error) if is_gone(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// ECS has forgotten the task, or the cluster is deleted, which takes that no task runs in it: nothing is left to stop.
fn is_gone(error: &Error) -> bool {
    error.has_code(&["ClusterNotFoundException"])
        || (error.has_code(&["InvalidParameterException"]) && error.aws_message().contains("task was not found"))
}

/// Waits until the task, which is being stopped, is STOPPED.
///
/// # Errors
/// When ECS does not answer or does not know the task; when it does not stop in time.
pub(crate) async fn wait_stopped(clients: &Clients, deployed: &Deployed, task_arn: &str) -> Result<Task> {
    let mut patience = Patience::new(clients, STOP_LIMIT);
    let mut last_status = String::new();
    loop {
        let task = get(clients, deployed, task_arn).await?;
        if task.is_stopped() {
            return Ok(task);
        }
        if task.last_status != last_status {
            last_status.clone_from(&task.last_status);
            patience.renew();
        }
        if !patience.wait().await {
            return Err(still_running(&[task]));
        }
    }
}

/// Stops every task of the cluster and waits until none is left that is not STOPPED; says which they were. `on_wait`
/// gets those that are waited for, whenever they have changed.
pub(crate) async fn stop_all(
    clients: &Clients,
    cluster: &str,
    reason: &str,
    mut on_wait: impl FnMut(&[Task]),
) -> Result<Vec<String>> {
    let mut stopped: Vec<String> = Vec::new();
    let mut patience = Patience::new(clients, STOP_LIMIT);
    let mut seen: Vec<(String, String)> = Vec::new();
    loop {
        for task in active(clients, cluster).await? {
            stop(clients, cluster, &task.task_arn, reason).await?;
            if !stopped.contains(&task.task_arn) {
                stopped.push(task.task_arn);
            }
        }
        // Those that were asked to stop before may still be on their way, too.
        let mut tasks = all(clients, cluster).await?;
        tasks.retain(|task| !task.is_stopped());
        if tasks.is_empty() {
            return Ok(stopped);
        }
        let now: Vec<_> = tasks.iter().map(|task| (task.task_arn.clone(), task.last_status.clone())).collect();
        if now != seen {
            on_wait(&tasks);
            patience.renew();
            seen = now;
        }
        if !patience.wait().await {
            return Err(still_running(&tasks));
        }
    }
}

fn still_running(tasks: &[Task]) -> Error {
    let names: Vec<_> =
        tasks.iter().map(|task| format!("{} ({})", task_id(&task.task_arn), task.last_status)).collect();
    Error::failed(format!("Not stopped after {} minutes: {}.", STOP_LIMIT.as_secs() / 60, names.join(", ")))
        .cause("ECS accepted to stop them, and a task has at most two minutes after that before it is killed")
        .hint("Repeat the command; when they are still there after that, AWS Support has to help, and they cost until then.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::scripted::{Script, deployed, task};

    fn arns(ids: &[&str]) -> serde_json::Value {
        json!({"taskArns": ids.iter().map(|id| task(id, "RUNNING")["taskArn"].clone()).collect::<Vec<_>>()})
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_stopped_and_waited_for_with_progress() {
        // Asked in turn: those that shall run, these once more, and those that shall not. Once it is on both lists.
        let script = Script::default()
            .answer("ListTasks", arns(&["a"]))
            .answer("ListTasks", arns(&["a"]))
            .answer("ListTasks", arns(&["a"]))
            .answer("ListTasks", arns(&[]))
            .answer("ListTasks", arns(&[]))
            .answer("ListTasks", arns(&["a"]))
            .answer("DescribeTasks", json!({"tasks": [task("a", "RUNNING")]}))
            .answer("DescribeTasks", json!({"tasks": [task("a", "STOPPING")]}))
            .answer("DescribeTasks", json!({"tasks": [task("a", "DEPROVISIONING")]}))
            .answer("DescribeTasks", json!({"tasks": [task("a", "STOPPED")]}))
            .answer("StopTask", json!({}));
        let mut seen = Vec::new();
        let stopped =
            stop_all(&script.clients(), "c", "r", |tasks| seen.push(tasks[0].last_status.clone())).await.unwrap();
        assert_eq!((stopped.len(), seen), (1, vec!["STOPPING".to_owned(), "DEPROVISIONING".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_named() {
        let script = Script::default()
            .answer("ListTasks", arns(&["a"]))
            .answer("DescribeTasks", json!({"tasks": [task("a", "STOPPING")]}))
            .answer("StopTask", json!({}));
        let error = stop_all(&script.clients(), "c", "r", |_| {}).await.unwrap_err();
        assert_eq!(
            error.to_string().lines().next().unwrap().split(" (ECS").next(),
            Some("Not stopped after 5 minutes: a (STOPPING).")
        );
        let script = Script::default().answer("DescribeTasks", json!({"tasks": [task("a", "RUNNING")]}));
        let error = wait_stopped(&script.clients(), &deployed(), "task/a").await.unwrap_err();
        assert!(error.to_string().contains("a (RUNNING)"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_or_a_cluster_that_is_gone_is_stopped() {
        for (code, message) in [
            ("InvalidParameterException", "The referenced task was not found."),
            ("ClusterNotFoundException", "Cluster not found."),
        ] {
            let script = Script::default().refusal("StopTask", 400, code, message);
            stop(&script.clients(), "c", "task/a", "r").await.unwrap();
        }
        let script = Script::default().refusal("StopTask", 400, "InvalidParameterException", "Invalid identifier");
        stop(&script.clients(), "c", "task/a", "r").await.unwrap_err();
    }
}
