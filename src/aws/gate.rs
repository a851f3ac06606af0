//! The gate of the local endpoint: its own way to hold the requests of a cluster's tasks, and to cut tasks off.

use aws_config::SdkConfig;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::direct::{Client, Service};
use crate::error::{Doing, Result};

/// Where a task is cut off at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Cut {
    BeforeEffect,
    AfterEffect,
    AfterAnswer,
}

/// A task may make so many requests (or all that it makes), the others wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Turn {
    /// Its number, from 1, in the order in which tasks came to the gate.
    pub(crate) task: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cut: Option<Cut>,
}

/// What the gate has seen.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Seen {
    pub(crate) requests: Vec<Request>,
}

/// A request of a task.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Request {
    pub(crate) task: usize,
    pub(crate) operation: String,
    pub(crate) input: Value,
    pub(crate) outcome: Outcome,
    /// Code of the service's refusal.
    pub(crate) error: Option<String>,
    pub(crate) cut: Option<Cut>,
    /// Rises with each request that passes; none for one that has not.
    pub(crate) passed: Option<usize>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Outcome {
    Held,
    GivenUp,
    Begun,
    Done,
    Refused,
    Prevented,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Until {
    /// The task has come to the gate, or ended.
    Seen,
    Ended,
}

/// Client of the gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Client);

impl Gate {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(Service::Gate, config))
    }

    /// The cluster's tasks take turns from now on; what was before is forgotten.
    pub(crate) async fn put(&self, cluster: &str, turns: &[Turn]) -> Result<()> {
        let input = json!({"cluster": cluster, "turns": turns});
        let answer = self.0.post::<IgnoredAny>("PutGate", "FisWorkshopGate.PutGate", &input).await;
        answer.doing("Setting the gate").map(drop)
    }

    /// What has come to the gate.
    pub(crate) async fn seen(&self, cluster: &str) -> Result<Seen> {
        self.describe(&json!({"cluster": cluster})).await
    }

    /// The same, when the task has got there, or after so many seconds.
    pub(crate) async fn wait(&self, cluster: &str, task: &str, until: Until, seconds: u64) -> Result<Seen> {
        self.describe(&json!({"cluster": cluster, "wait": {"task": task, "until": until, "seconds": seconds}})).await
    }

    async fn describe(&self, input: &Value) -> Result<Seen> {
        self.0.post("DescribeGate", "FisWorkshopGate.DescribeGate", input).await.doing("Asking the gate")
    }
}
