//! What came of each request.

use serde::Serialize;
use serde_json::Value;

use super::script::Cut;

/// A request of a task, in the order in which they came.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// The task's number.
    pub(super) task: usize,
    /// E.g. `dynamodb`.
    pub(super) service: &'static str,
    /// E.g. `PutItem`.
    pub(super) operation: &'static str,
    pub(super) input: Value,
    pub(super) outcome: Outcome,
    /// The code of the service's refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cut: Option<Cut>,
    /// When it passed, as a number that rises with each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) passed: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Outcome {
    /// It waits for its turn.
    Held,
    /// The task has hung up while it waited: it will not be done.
    GivenUp,
    /// It is being done; with a task that has hung up meanwhile, nobody knows how that ends.
    Begun,
    /// It has had its effect.
    Done,
    /// The service has said no.
    Refused,
    /// The task was cut off before it was done.
    Prevented,
}
