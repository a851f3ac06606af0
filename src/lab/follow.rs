//! Following a task by its log, to the last line.

use tokio::time::Instant;

use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::logs::{Line, LogReader};
use crate::aws::pace::Pace;
use crate::aws::program::Program;
use crate::aws::tasks::{self, Task};
use crate::error::Result;
use crate::worker_log;

/// Hands every line of the task's log to `on_line`, and the task to `on_state` whenever its state has changed; returns the task when it is STOPPED and its log is read out.
pub(crate) async fn follow(
    clients: &Clients,
    deployed: &Deployed,
    program: Program,
    task_arn: &str,
    on_state: impl FnMut(&Task),
    on_line: impl FnMut(&Line) -> Result<()>,
) -> Result<Task> {
    match until_read_out(clients, deployed, program, task_arn, on_state, on_line).await {
        Err(error) if error.has_code(&["ClusterNotFoundException", "ResourceNotFoundException"]) => {
            Err(deployed.taken_down(clients).await?.unwrap_or(error))
        }
        end => end,
    }
}

async fn until_read_out(
    clients: &Clients,
    deployed: &Deployed,
    program: Program,
    task_arn: &str,
    mut on_state: impl FnMut(&Task),
    mut on_line: impl FnMut(&Line) -> Result<()>,
) -> Result<Task> {
    let mut reader = LogReader::of_task(clients, deployed, program, task_arn)?;
    let mut pace = clients.pace();
    let (mut last_line, mut last_state) = (String::new(), String::new());
    let mut quiet_since = None;
    loop {
        // The task first: what it wrote before it was STOPPED is then in what is read after.
        let task = tasks::get(clients, deployed, task_arn).await?;
        let lines = reader.read().await?;
        if task.last_status != last_state {
            on_state(&task);
            last_state.clone_from(&task.last_status);
        }
        if let Some(last) = lines.last() {
            lines.iter().try_for_each(&mut on_line)?;
            last_line.clone_from(&last.message);
            quiet_since = None;
            pace.reset();
        }
        if task.is_stopped() {
            // A container that never ran has written nothing.
            let is_complete = task.started_at.is_none() || worker_log::ends(&last_line, task.exit_code);
            let quiet = quiet_since.get_or_insert_with(Instant::now).elapsed();
            // On AWS, lines become readable some seconds after they were written.
            if is_complete || quiet >= Pace::lateness(clients.place) {
                return Ok(task);
            }
        }
        pace.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::aws::scripted::{Script, deployed, task};

    const DONE: &str = "Successfully PUT item 9 out of 10 into DDB";

    fn stopped(exit_code: Option<i32>) -> Value {
        let mut task = task("0f", "STOPPED");
        task["containers"][0]["exitCode"] = json!(exit_code);
        json!({"tasks": [task]})
    }

    fn page(token: &str, messages: &[&str]) -> Value {
        let events: Vec<_> = messages.iter().map(|message| json!({"timestamp": 0, "message": message})).collect();
        json!({"events": events, "nextForwardToken": token, "nextBackwardToken": "b"})
    }

    async fn lines(script: &Script) -> (Vec<String>, Duration) {
        let (mut lines, begin) = (Vec::new(), Instant::now());
        let on_line = |line: &Line| {
            lines.push(line.message.clone());
            Ok(())
        };
        follow(&script.clients(), &deployed(), Program::Original, "task/0f", |_| (), on_line).await.unwrap();
        (lines, begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_last_line_that_comes_late_ends_the_wait_for_more() {
        let script = Script::default()
            .answer("DescribeTasks", stopped(Some(0)))
            // The stream is there only with its first line; a page may be empty and have a successor.
            .refusal("GetLogEvents", 400, "ResourceNotFoundException", "The specified log stream does not exist.")
            .answer("GetLogEvents", page("t1", &[]))
            .answer("GetLogEvents", page("t2", &["Starting batch job"]))
            .answer("GetLogEvents", page("t2", &[]))
            .answer("GetLogEvents", page("t3", &[DONE]))
            .answer("GetLogEvents", page("t3", &[]));
        let (lines, time) = lines(&script).await;
        assert_eq!(lines, ["Starting batch job", DONE]);
        assert!(time < Duration::from_secs(10), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_whose_end_nobody_knows_is_read_until_it_is_quiet() {
        let script = Script::default()
            .answer("DescribeTasks", stopped(Some(137)))
            .answer("GetLogEvents", page("t1", &["Starting batch job"]))
            .answer("GetLogEvents", page("t1", &[]));
        let (lines, time) = lines(&script).await;
        assert_eq!(lines, ["Starting batch job"]);
        assert!((15..25).contains(&time.as_secs()), "{time:?}");
    }

    #[tokio::test]
    async fn an_environment_that_is_taken_down_meanwhile_is_said_to_be() {
        let gone = "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id FisStopTaskStack does not \
                    exist</Message></Error></ErrorResponse>";
        let script = Script::default()
            .refusal("DescribeTasks", 400, "ClusterNotFoundException", "Cluster not found.")
            .answers("DescribeStacks", 400, gone.to_owned());
        let (clients, deployed) = (script.clients(), deployed());
        let end = follow(&clients, &deployed, Program::Original, "task/0f", |_| (), |_| Ok(())).await;
        let error = end.unwrap_err();
        assert_eq!(error.to_string(), "The environment default was taken down while this command ran.");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_never_ran_has_no_log_to_wait_for() {
        let mut answer = stopped(None);
        answer["tasks"][0]["startedAt"] = Value::Null;
        let script = Script::default().answer("DescribeTasks", answer).refusal(
            "GetLogEvents",
            400,
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        );
        assert_eq!(lines(&script).await, (Vec::new(), Duration::ZERO));
    }
}
