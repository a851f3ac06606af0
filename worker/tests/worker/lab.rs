//! A table, and the worker's processes that work on it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use dynoxide::{AttributeValue, Database, Item};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

use crate::{
    ecs::Ecs,
    endpoint::{Shared, router},
    lambda::Lambda,
    sqs::Sqs,
};

pub(crate) const TABLE: &str = "FisStopTaskStack-DynamoTable";
pub(crate) const ORIGINAL: &str = env!("CARGO_BIN_EXE_original");
pub(crate) const IMPROVED: &str = env!("CARGO_BIN_EXE_improved");
pub(crate) const QUEUE: &str = env!("CARGO_BIN_EXE_queue");
pub(crate) const WATCHDOG: &str = env!("CARGO_BIN_EXE_watchdog");

/// Far more than anything here takes: only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An endpoint of its own on a free port, with an empty table.
pub(crate) struct Lab {
    runtime: Runtime,
    pub(crate) shared: Arc<Shared>,
    address: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let database = Database::memory().unwrap();
        let table = json!({
            "TableName": TABLE,
            "KeySchema": [
                {"AttributeName": "BatchId", "KeyType": "HASH"},
                {"AttributeName": "ItemIndex", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "BatchId", "AttributeType": "S"},
                {"AttributeName": "ItemIndex", "AttributeType": "N"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
        });
        database.create_table(serde_json::from_value(table).unwrap()).unwrap();
        let shared = Arc::new(Shared {
            database,
            requests: watch::channel(Vec::new()).0,
            accepted: Mutex::default(),
            puts_held: watch::channel(false).0,
            next_answer_lost: false.into(),
            sqs: Sqs::default(),
            ecs: Ecs::default(),
            lambda: Lambda::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = router(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { runtime, shared, address }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A program of the worker with this lab's endpoint and nothing else in its environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_ENDPOINT_URL", &self.address)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("TABLE_NAME", TABLE)
            .env("ITEM_SECONDS", "0.02");
        command
    }

    /// `queue`, with this lab's queue.
    pub(crate) fn queue(&self) -> Command {
        let mut command = self.command(QUEUE);
        command.env("QUEUE_URL", format!("{}/123456789012/items", self.address));
        command
    }

    /// `watchdog`, as Lambda starts it.
    pub(crate) fn watchdog(&self) -> Command {
        let mut command = self.command(WATCHDOG);
        command
            .env_remove("ITEM_SECONDS")
            .env("AWS_LAMBDA_RUNTIME_API", self.address.trim_start_matches("http://"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "watchdog")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("CLUSTER", "lab")
            .env("TASK_DEFINITION", "arn:aws:ecs:eu-west-1:123456789012:task-definition/job:7")
            .env("SUBNETS", "subnet-1a,subnet-2b")
            .env("SECURITY_GROUPS", "sg-1a")
            .env("BACKOFF_SECONDS", "60");
        command
    }

    /// Runs something in the endpoint's runtime, with an end.
    pub(crate) fn within<T>(&self, future: impl Future<Output = T>) -> T {
        let timed = async { tokio::time::timeout(PATIENCE, future).await };
        self.runtime.block_on(timed).expect("it happens in time")
    }

    /// The value of `ECS_CONTAINER_METADATA_URI_V4` in the task `id`.
    pub(crate) fn metadata_uri(&self, id: &str) -> String {
        format!("{}/metadata/{id}", self.address)
    }

    /// Waits until the endpoint has been asked for `operation` for the `n`-th time.
    pub(crate) fn wait_for_request(&self, operation: &str, n: usize) {
        let mut requests = self.shared.requests.subscribe();
        let count = |all: &Vec<String>| all.iter().filter(|r| *r == operation).count() >= n;
        self.runtime.block_on(async {
            let seen = tokio::time::timeout(PATIENCE, requests.wait_for(count)).await;
            seen.expect("the request arrives in time").unwrap();
        });
    }

    /// The requests so far, and none from here on.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.shared.requests.send_replace(Vec::new())
    }

    pub(crate) fn hold_puts(&self) {
        self.shared.puts_held.send_replace(true);
    }

    pub(crate) fn release_puts(&self) {
        self.shared.puts_held.send_replace(false);
    }

    /// The indexes that DynamoDB took for `batch`, in order of arrival.
    pub(crate) fn accepted(&self, batch: &str) -> Vec<u64> {
        let accepted = self.shared.accepted.lock().unwrap();
        let of_batch = accepted.iter().filter(|(id, ..)| id == batch);
        of_batch.map(|(_, index, _)| *index).collect()
    }

    /// The items of `batch` in the table, by index.
    pub(crate) fn items(&self, batch: &str) -> BTreeMap<u64, Item> {
        let query = json!({
            "TableName": TABLE,
            "KeyConditionExpression": "BatchId = :batch",
            "ExpressionAttributeValues": {":batch": {"S": batch}},
            "ConsistentRead": true,
        });
        let query = serde_json::from_value(query).unwrap();
        let items = self.shared.database.query(query).unwrap().items.unwrap();
        let indexed = items.into_iter().map(|item| (index(&item), item));
        indexed.collect()
    }

    /// Every index is there once, with the right result and the attributes of the contract.
    pub(crate) fn assert_complete(&self, batch: &str, size: u64) {
        let items = self.items(batch);
        let indexes: Vec<u64> = items.keys().copied().collect();
        assert_eq!(indexes, (0..size).collect::<Vec<u64>>());
        for (index, item) in &items {
            let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["BatchId", "ItemIndex", "Result", "TaskId", "WrittenAt"]);
            assert_eq!(text(item, "Result"), fis_workshop_worker::work(*index));
            let written_at = text(item, "WrittenAt");
            assert!(written_at.len() == "2026-01-31T12:00:00.000Z".len() && written_at.ends_with('Z'));
        }
    }
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    match &item[name] {
        AttributeValue::S(text) => text,
        other => panic!("{name} is {other:?}"),
    }
}

fn index(item: &Item) -> u64 {
    match &item["ItemIndex"] {
        AttributeValue::N(number) => number.parse().unwrap(),
        other => panic!("ItemIndex is {other:?}"),
    }
}

/// What a process has done when it is over.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None`: killed by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

/// A running process of the worker.
pub(crate) struct Run {
    child: Child,
    stderr: ChildStderr,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Run {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                // A test that no longer reads is over.
                let _ = sender.send(line.unwrap());
            }
        });
        Self { child, stderr, lines, seen: Vec::new() }
    }

    /// Reads the log up to `line`.
    pub(crate) fn wait_for(&mut self, line: &str) {
        while self.seen.last().is_none_or(|last| last != line) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(next) => self.seen.push(next),
                Err(error) => panic!("no {line:?} ({error}) after {:#?}", self.seen),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Sends `signal`, and waits for the end.
    pub(crate) fn stop(self, signal: Signal) -> Outcome {
        self.signal(signal);
        self.wait()
    }

    /// SIGKILL, and the log up to there.
    pub(crate) fn kill(mut self) -> Outcome {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(mut self) -> Outcome {
        let begin = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begin.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it does not end after {:#?}", self.seen);
            }
            thread::sleep(Duration::from_millis(1));
        }
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        let mut stdout = self.seen;
        stdout.extend(self.lines.iter());
        Outcome { code: status.code(), stdout, stderr }
    }
}

/// The log of a run that goes from `start` to the end.
pub(crate) fn log_of(first_line: &str, indexes: std::ops::Range<u64>, size: u64) -> Vec<String> {
    let mut lines = vec!["Starting batch job".to_owned(), first_line.to_owned()];
    lines.extend(indexes.map(|i| put_line(i, size)));
    lines
}

pub(crate) fn put_line(index: u64, size: u64) -> String {
    format!("Successfully PUT item {index} out of {size} into DDB")
}
