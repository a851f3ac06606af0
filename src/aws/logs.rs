//! CloudWatch Logs: the log of one task, from its first line to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use serde::Serialize;

use super::arn;
use super::clients::Clients;
use super::deployed::Deployed;
use super::program::Program;
use crate::error::{Doing, Error, Result};
use crate::worker_log;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) timestamp: String,
    pub(crate) message: String,
}

/// A line, and the task that has written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskLine {
    pub(crate) task_id: String,
    pub(crate) line: Line,
}

/// Reads one log stream on and on.
#[derive(Debug)]
pub(crate) struct LogReader<'a> {
    clients: &'a Clients,
    deployed: &'a Deployed,
    group: String,
    stream: String,
    token: Option<String>,
}

impl<'a> LogReader<'a> {
    /// For the log of `task_arn`.
    ///
    /// # Errors
    /// When the environment lacks an output.
    pub(crate) fn of_task(
        clients: &'a Clients,
        deployed: &'a Deployed,
        program: Program,
        task_arn: &str,
    ) -> Result<Self> {
        let group = deployed.log_group(program)?.to_owned();
        Ok(Self { clients, deployed, group, stream: deployed.log_stream(task_arn)?, token: None })
    }

    /// The lines that are new since the last call; none when the stream does not exist yet.
    pub(crate) async fn read(&mut self) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        loop {
            let request = self.clients.logs.get_log_events().log_group_name(&self.group).log_stream_name(&self.stream);
            let request = request.start_from_head(true).set_next_token(self.token.clone());
            let answer = match request.send().await.doing("Reading the log") {
                Ok(answer) => answer,
                // The stream is made with the first line.
                Err(error) if is_missing(&error) && !error.aws_message().contains("log group") => return Ok(lines),
                // A group is there from the start: tasks that are to write to it do not start without it.
                Err(error) => return Err(self.deployed.without("log group", error)),
            };
            lines.extend(answer.events().iter().map(|event| Line {
                timestamp: timestamp(event.timestamp().unwrap_or_default()),
                message: event.message().unwrap_or_default().trim_end_matches('\n').to_owned(),
            }));
            // The end is reached when the token does not move; pages before it may be empty.
            let next = answer.next_forward_token().map(str::to_owned);
            if next == self.token || next.is_none() {
                return Ok(lines);
            }
            self.token = next;
        }
    }
}

fn is_missing(error: &Error) -> bool {
    error.has_code(&["ResourceNotFoundException"])
}

/// Whether no task has written to the log group, as far as one question tells.
pub(crate) async fn is_empty(clients: &Clients, deployed: &Deployed, program: Program) -> Result<bool> {
    let request = clients.logs.filter_log_events().log_group_name(deployed.log_group(program)?).limit(1);
    let page = request.send().await.doing("Searching the logs");
    let page = page.map_err(|error| deployed.without("log group", error))?;
    Ok(page.events().is_empty() && page.next_token().is_none())
}

/// How often each item was written since `since` (milliseconds), by all tasks: the table only knows the last time.
///
/// Counted by stream, which is a task: none writes an item twice, but CloudWatch Logs may have a line twice (the driver
/// sends lines again when it got no answer) and give an event on two pages.
pub(crate) async fn writes(clients: &Clients, deployed: &Deployed, since: i64) -> Result<BTreeMap<u64, usize>> {
    let mut tasks: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    let pattern = format!("\"{}\"", worker_log::PUT);
    for program in Program::ALL {
        let group = deployed.log_group(*program)?;
        let mut next = None;
        loop {
            let request = clients.logs.filter_log_events().log_group_name(group).start_time(since);
            let request = request.filter_pattern(&pattern).set_next_token(next);
            let page = request.send().await.doing("Searching the logs");
            let page = page.map_err(|error| deployed.without("log group", error))?;
            for event in page.events() {
                if let Some((index, _)) = event.message().and_then(worker_log::put) {
                    tasks.entry(index).or_default().insert(event.log_stream_name().unwrap_or_default().to_owned());
                }
            }
            // Pages may be empty and still have a successor.
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
    }
    Ok(tasks.into_iter().map(|(index, tasks)| (index, tasks.len())).collect())
}

/// The lines of all streams of a log group in the last `time`.
pub(crate) async fn since(clients: &Clients, deployed: &Deployed, group: &str, time: Duration) -> Result<Vec<Line>> {
    let start = chrono::Utc::now() - time;
    let events = events(clients, deployed, group, start.timestamp_millis()).await?;
    Ok(events.iter().map(line).collect())
}

/// The lines of all tasks of a program since `since` (milliseconds), in the order of their times.
pub(crate) async fn of_program(
    clients: &Clients,
    deployed: &Deployed,
    program: Program,
    since: i64,
) -> Result<Vec<TaskLine>> {
    let events = events(clients, deployed, deployed.log_group(program)?, since).await?;
    // CloudWatch Logs may give an event on two pages.
    let mut known = BTreeSet::new();
    let new = events.iter().filter(|event| event.event_id().is_none_or(|id| known.insert(id.to_owned())));
    let task_id = |event: &FilteredLogEvent| arn::task_id(event.log_stream_name().unwrap_or_default()).to_owned();
    Ok(new.map(|event| TaskLine { task_id: task_id(event), line: line(event) }).collect())
}

async fn events(clients: &Clients, deployed: &Deployed, group: &str, since: i64) -> Result<Vec<FilteredLogEvent>> {
    let mut events = Vec::new();
    let mut next = None;
    loop {
        let request = clients.logs.filter_log_events().log_group_name(group).start_time(since);
        let page = request.set_next_token(next).send().await.doing("Reading the log");
        let page = page.map_err(|error| deployed.without("log group", error))?;
        events.extend(page.events.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            return Ok(events);
        }
    }
}

fn line(event: &FilteredLogEvent) -> Line {
    Line {
        timestamp: timestamp(event.timestamp().unwrap_or_default()),
        message: event.message().unwrap_or_default().trim_end_matches('\n').to_owned(),
    }
}

/// RFC 3339 of CloudWatch Logs' milliseconds.
fn timestamp(milliseconds: i64) -> String {
    chrono::DateTime::from_timestamp_millis(milliseconds)
        .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        .unwrap_or_default()
}

/// Names of the log groups that start with `prefix`.
pub(crate) async fn groups(clients: &Clients, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let request = clients.logs.describe_log_groups().log_group_name_prefix(prefix).set_next_token(next);
        let page = request.send().await.doing("Listing the log groups")?;
        names.extend(page.log_groups().iter().filter_map(|group| group.log_group_name()).map(str::to_owned));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::scripted::{Script, deployed};

    #[tokio::test(start_paused = true)]
    async fn writes_are_counted_once_for_each_task_over_empty_pages() {
        let event = |id: &str, stream: &str| {
            let message = "Successfully PUT item 4 out of 10 into DDB";
            json!({"eventId": id, "logStreamName": stream, "timestamp": 0, "message": message})
        };
        let script = Script::default()
            .answer("FilterLogEvents", json!({"events": [], "nextToken": "t1"}))
            .answer("FilterLogEvents", json!({"events": [event("1", "s1"), event("1", "s1")], "nextToken": "t2"}))
            // The second answer to a line that was sent twice, and another task.
            .answer("FilterLogEvents", json!({"events": [event("2", "s1"), event("3", "s2")]}))
            .answer("FilterLogEvents", json!({"events": []}));
        let writes = writes(&script.clients(), &deployed(), 0).await.unwrap();
        assert_eq!(writes, BTreeMap::from([(4, 2)]));
        // Three of the first program, one of each other one.
        assert_eq!(script.requests("FilterLogEvents").len(), 2 + Program::ALL.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_stream_is_an_empty_log_and_a_missing_group_an_error() {
        let (deployed, missing) = (deployed(), "ResourceNotFoundException");
        for (message, is_error) in
            [("The specified log stream does not exist.", false), ("The specified log group does not exist.", true)]
        {
            let script = Script::default().refusal("GetLogEvents", 400, missing, message);
            let clients = script.clients();
            let mut reader = LogReader::of_task(&clients, &deployed, Program::Original, "task/0f").unwrap();
            assert_eq!(reader.read().await.is_err(), is_error, "{message}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_is_waited_out() {
        let end = json!({"events": [], "nextForwardToken": "t"});
        let script = Script::default()
            .refusal("GetLogEvents", 400, "ThrottlingException", "Rate exceeded")
            .answer("GetLogEvents", end);
        let (clients, deployed) = (script.clients(), deployed());
        let mut reader = LogReader::of_task(&clients, &deployed, Program::Original, "task/0f").unwrap();
        assert!(reader.read().await.unwrap().is_empty());
    }
}
