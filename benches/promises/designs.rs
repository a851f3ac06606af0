//! What the watchdog and the queue promise.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde_json::{Value, json};

use super::{Lab, Measured, RUNS, Result, find_output, milliseconds};

/// An item of the batch that several tasks share: enough that their start does not count.
const SHARED: u64 = 1000;

/// Without an item's own time, there is only what `queue` costs.
const EMPTY: u64 = 500;

impl Lab {
    /// An endpoint of its own, whose environment has nothing else to do.
    pub(super) fn designs(&self, runtime: &tokio::runtime::Runtime) -> Result<Vec<Measured>> {
        let environment = self.environment()?;
        let replacement = runtime.block_on(self.replacements(&environment))?;
        let message = runtime.block_on(self.messages())?;
        let (mut speed_up, mut overhead) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let one = runtime.block_on(self.shared(&environment, 1, SHARED, "0.01"))?;
            let eight = runtime.block_on(self.shared(&environment, 8, SHARED, "0.01"))?;
            speed_up.push(one / eight);
            let worker = runtime.block_on(self.shared(&environment, 1, EMPTY, "0"))?;
            overhead.push(runtime.block_on(self.bare_loop(&environment, EMPTY))? / worker);
        }
        Ok(vec![
            ("end of a watched task to the first log line of the next, ms", replacement, "< 300"),
            ("SendMessage to the one who waits for a message, ms", message, "< 5"),
            ("queue: 1,000 items of 10 ms, one task's time over that of eight", speed_up, ">= 7"),
            ("queue: empty items, a bare loop's time over that of one task", overhead, ">= 0.8"),
            ("endpoint after all that, MiB resident", vec![self.resident_mib()?], ""),
        ])
    }

    /// From SIGKILL of a task's program to the first line of the task that the watchdog starts. The line is seen by polling.
    async fn replacements(&self, environment: &Value) -> Result<Vec<f64>> {
        let group = find_output(environment, "WatchdogLogGroupName")?;
        let mut samples = Vec::new();
        for _ in 0..RUNS {
            self.run(&["clear"])?;
            let arn = self.run(&["run", "watchdog", "--detach", "--item-seconds", "0.1"])?;
            let arn = String::from_utf8(arn)?.trim().to_owned();
            let id = arn.rsplit('/').next().unwrap_or_default();
            self.until_line(&group, |stream, line| stream.ends_with(id) && line.contains("PUT item 1 ")).await?;
            let known = self.lines(&group).await?.into_iter().map(|(stream, _, _)| stream).collect::<Vec<_>>();
            let program = self.program_of(id)?;
            let killed = Instant::now();
            rustix::process::kill_process(program, rustix::process::Signal::KILL)?;
            self.until_line(&group, |stream, _| known.iter().all(|it| it != stream)).await?;
            samples.push(milliseconds(killed.elapsed()));
            self.until_all_stopped(2)?;
        }
        Ok(samples)
    }

    /// From before the request to after the answer of who waits.
    async fn messages(&self) -> Result<Vec<f64>> {
        const IT_WAITS: Duration = Duration::from_millis(50);
        let client = aws_sdk_sqs::Client::new(&self.sdk_config().await?);
        let url = client.create_queue().queue_name("bench").send().await?.queue_url().unwrap_or_default().to_owned();
        let mut samples = Vec::new();
        for _ in 0..RUNS {
            let receive = client.receive_message().queue_url(&url).wait_time_seconds(20).send();
            let received = tokio::spawn(async move { (receive.await, Instant::now()) });
            tokio::time::sleep(IT_WAITS).await;
            let sent = Instant::now();
            client.send_message().queue_url(&url).message_body("{}").send().await?;
            let (answer, at) = received.await?;
            samples.push(milliseconds(at - sent));
            for message in answer?.messages() {
                let receipt = message.receipt_handle().unwrap_or_default();
                client.delete_message().queue_url(&url).receipt_handle(receipt).send().await?;
            }
        }
        client.delete_queue().queue_url(&url).send().await?;
        Ok(samples)
    }

    /// Milliseconds that so many tasks are at work on a batch: from the first one's first look at the queue to the last item
    /// in the table, by the workers' own clocks.
    async fn shared(&self, environment: &Value, tasks: usize, items: u64, item_seconds: &str) -> Result<f64> {
        let group = find_output(environment, "QueueLogGroupName")?;
        let (tasks, size) = (tasks.to_string(), items.to_string());
        self.run(&["clear"])?;
        let known = self.lines(&group).await?.len();
        let run =
            ["run", "queue", "--detach", "--count", &tasks, "--batch-size", &size, "--item-seconds", item_seconds];
        self.run(&run)?;
        self.until_all_stopped(tasks.parse()?)?;
        let lines = self.lines(&group).await?;
        let begins = lines.iter().skip(known).filter(|(_, _, line)| line.starts_with("Taking items"));
        let begin = begins.map(|(_, at, _)| *at).min().ok_or("no task took an item")?;
        let table: Value = serde_json::from_slice(&self.run(&["items", "--batch-size", &size, "--output", "json"])?)?;
        if table["complete"] != json!(true) {
            return Err(format!("the batch is not complete: {}", table["missing"]).into());
        }
        let written = table["items"].as_array().into_iter().flatten().filter_map(|item| item["written_at"].as_str());
        let end = written.max().ok_or("nothing was written")?;
        Ok((chrono::DateTime::parse_from_rfc3339(end)?.timestamp_millis() - begin) as f64)
    }

    /// Milliseconds for the requests that `queue` cannot do without, with nothing around them.
    async fn bare_loop(&self, environment: &Value, items: u64) -> Result<f64> {
        let (url, table) = (find_output(environment, "QueueUrl")?, find_output(environment, "TableName")?);
        let config = self.sdk_config().await?;
        let (sqs, dynamodb) = (aws_sdk_sqs::Client::new(&config), aws_sdk_dynamodb::Client::new(&config));
        let indexes: Vec<_> = (0..items).collect();
        for indexes in indexes.chunks(10) {
            let entry = |index: &u64| {
                let body = json!({"batch_id": "bare", "item_index": index}).to_string();
                SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build()
            };
            let entries = indexes.iter().map(entry).collect::<std::result::Result<Vec<_>, _>>()?;
            sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await?;
        }
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let begin = Instant::now();
        for index in 0..items {
            let answer = sqs.receive_message().queue_url(&url).wait_time_seconds(1).send().await?;
            let message = answer.messages().first().ok_or("a message is missing")?;
            dynamodb
                .put_item()
                .table_name(&table)
                .item("BatchId", text("bare"))
                .item("ItemIndex", AttributeValue::N(index.to_string()))
                .item("Result", text("0"))
                .item("TaskId", text("bench"))
                .item("WrittenAt", text("2026-01-01T00:00:00.000Z"))
                .condition_expression("attribute_not_exists(BatchId)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await?;
            let receipt = message.receipt_handle().unwrap_or_default();
            sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await?;
        }
        let took = milliseconds(begin.elapsed());
        self.run(&["clear"])?;
        Ok(took)
    }

    /// Waits until as many tasks as there are have stopped.
    fn until_all_stopped(&self, tasks: usize) -> Result<()> {
        loop {
            let status: Value = serde_json::from_slice(&self.run(&["status", "--all-tasks", "--output", "json"])?)?;
            let known = status["tasks"].as_array().cloned().unwrap_or_default();
            if known.len() >= tasks && known.iter().all(|task| task["last_status"] == "STOPPED") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// All lines of a log group, each with its stream and its time.
    async fn lines(&self, group: &str) -> Result<Vec<(String, i64, String)>> {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.sdk_config().await?);
        let mut pages = client.filter_log_events().log_group_name(group).into_paginator().send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            lines.extend(page?.events().iter().map(|event| {
                let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                (text(event.log_stream_name()), event.timestamp().unwrap_or_default(), text(event.message()))
            }));
        }
        Ok(lines)
    }

    /// Waits for a line that is the one.
    async fn until_line(&self, group: &str, is_it: impl Fn(&str, &str) -> bool) -> Result<()> {
        while !self.lines(group).await?.iter().any(|(stream, _, line)| is_it(stream, line)) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}
