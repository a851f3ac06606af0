//! The lines of a record. Each is a JSON object; the first is the [`Header`], each other one an [`Event`].

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, Result};

/// Version of what is described here. It rises when a reader of the one before would misread a line.
pub(crate) const SCHEMA: u32 = 1;

/// The first line: what ran, where, and by which program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) schema: u32,
    /// Name of the run: begin and command.
    pub(crate) run: String,
    /// The verb.
    pub(crate) command: String,
    /// All that was typed behind the program's name.
    pub(crate) args: Vec<String>,
    /// `local` or `aws`.
    pub(crate) target: String,
    /// Version of the program.
    pub(crate) version: String,
    #[serde(serialize_with = "milliseconds")]
    pub(crate) started_at: DateTime<Utc>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When, in UTC, by the clock of `source`. Lines are in the order in which this was learned; readers sort by time.
    #[serde(serialize_with = "milliseconds")]
    pub(crate) at: DateTime<Utc>,
    /// By how many milliseconds `at` may be wrong, by that clock.
    pub(crate) within_ms: u64,
    pub(crate) source: Source,
    /// The variant on whose turn it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// DescribeTasks.
    Ecs,
    /// GetExperiment.
    Fis,
    /// CloudWatch Logs: the log driver's time of a line.
    Logs,
    /// The table: the time that the worker has written into the item, a moment before the write.
    Dynamodb,
    /// This program, by the clock of this machine.
    Lab,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum What {
    /// A variant's turn begins.
    Turn { batch_size: u64, item_seconds: f64 },
    /// A task has got this far.
    Task {
        /// Its id.
        task: String,
        moment: Moment,
    },
    /// A task is STOPPED.
    TaskEnded {
        task: String,
        stop_code: Option<String>,
        reason: Option<String>,
        exit_code: Option<i32>,
        started_by: Option<String>,
    },
    /// A line of a task's log.
    Line { task: String, message: String },
    /// A task has written an item. Whether it was there before, the items before it tell.
    Item { index: u64, task: String },
    /// The items are messages now.
    Sent { messages: usize },
    /// An experiment begins.
    ExperimentStarted { experiment: String },
    /// An experiment is over.
    ExperimentEnded { experiment: String, status: String, reason: String },
    /// A task that an experiment has hit.
    Hit {
        experiment: String,
        task: String,
        /// The highest index that the task had written.
        index: Option<u64>,
        /// The highest index that was in the table.
        last_index: Option<u64>,
        /// How many items were in the table.
        items: u64,
    },
    /// The command has come to its result: what `--output json` prints of it.
    Result { result: Value },
    /// The command has failed.
    Failed { error: String },
}

/// A result, as it is recorded.
///
/// # Errors
/// When it has no form in JSON.
pub(crate) fn in_json(result: &impl Serialize) -> Result<Value> {
    serde_json::to_value(result).map_err(|error| Error::failed("The result cannot be recorded.").cause(error))
}

/// The times that ECS keeps of a task, by their members in DescribeTasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moment {
    /// PROVISIONING begins.
    Created,
    /// The network interface is attached.
    Connected,
    /// PENDING: the image is pulled.
    PullStarted,
    PullStopped,
    /// RUNNING.
    Started,
    /// STOPPING: told to end.
    Stopping,
    /// DEPROVISIONING: its containers have ended.
    ExecutionStopped,
    /// STOPPED.
    Stopped,
}

/// RFC 3339 in UTC, as all times of this program are written.
fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
