//! What the evidence says: the hypothesis "restarted, the job completes all items", and the invariants behind it. How much
//! is done twice is what is measured.

use aws_sdk_ecs::types::TaskStopCode;
use serde::{Deserialize, Serialize};

use super::checks::{COMMON, Checked, is_complete};
use super::evidence::{Evidence, Interruption, Run};
use super::prediction::Prediction;
use super::variant::{Design, Restart};
use crate::aws::in_json;
use crate::aws::tasks::Task;

/// What became of one design.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) variant: String,
    /// How many items a complete batch of it has.
    pub(crate) batch_size: u64,
    /// Who starts the job again.
    pub(crate) restart: Restart,
    /// How many items are in the table at the end.
    pub(crate) items: usize,
    /// Exactly the indexes of the batch: the hypothesis.
    pub(crate) complete: bool,
    /// Highest index written when the first interrupted task stopped.
    pub(crate) interrupted_at_index: Option<u64>,
    /// The same for each interruption, in their order.
    pub(crate) interrupted_at_indexes: Vec<Option<u64>>,
    /// First index that the task after it worked on.
    pub(crate) resumed_at_index: Option<u64>,
    /// Items that were there already when a later task wrote them.
    pub(crate) items_redone: u64,
    /// What was foretold of the first interruption: it is no part of the verdict.
    pub(crate) prediction: Option<Prediction>,
    pub(crate) wasted_seconds: f64,
    /// Seconds from the end of each interrupted task to the first line of the next one, where one comes after another.
    pub(crate) restart_seconds: Vec<f64>,
    /// How many times faster than one task would have been, where several share the work.
    pub(crate) speed_up: Option<f64>,
    /// All tasks, in the order in which they were started.
    pub(crate) tasks: Vec<TaskSummary>,
    /// Ids of the experiments.
    pub(crate) experiments: Vec<String>,
    pub(crate) checks: Vec<Checked>,
}

/// A task, as far as it is evidence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TaskSummary {
    pub(crate) task_arn: String,
    pub(crate) started_at: Option<String>,
    pub(crate) stopped_at: Option<String>,
    #[serde(serialize_with = "in_json::optional", deserialize_with = "in_json::read_optional")]
    pub(crate) stop_code: Option<TaskStopCode>,
    pub(crate) stopped_reason: Option<String>,
    /// Exit code of the worker.
    pub(crate) exit_code: Option<i32>,
}

impl Outcome {
    /// The hypothesis and every invariant hold.
    pub(crate) fn holds(&self) -> bool {
        self.complete && self.checks.iter().all(|check| check.ok)
    }
}

impl From<&Run> for TaskSummary {
    fn from(run: &Run) -> Self {
        let Task { task_arn, started_at, stopped_at, stop_code, stopped_reason, exit_code, .. } = run.task.clone();
        Self { task_arn, started_at, stopped_at, stop_code, stopped_reason, exit_code }
    }
}

/// Judges one design.
pub(crate) fn judge(design: &Design, evidence: &Evidence) -> Outcome {
    let redone: u64 = evidence.redone().into_iter().sum();
    // Tasks that share the work write in no particular order: there, an index tells nothing.
    let in_order = evidence.interruptions.iter().filter(|_| design.tasks == 1);
    let at_indexes: Vec<_> = in_order.map(Interruption::last_index).collect();
    Outcome {
        variant: design.name.to_string(),
        batch_size: evidence.conditions.batch_size,
        restart: design.restart,
        items: evidence.items.len(),
        complete: is_complete(evidence),
        interrupted_at_index: at_indexes.first().copied().flatten(),
        interrupted_at_indexes: at_indexes,
        resumed_at_index: (design.tasks == 1).then(|| evidence.resumed_at(1)).flatten(),
        items_redone: redone,
        prediction: None,
        wasted_seconds: redone as f64 * evidence.conditions.item_seconds,
        restart_seconds: if design.tasks == 1 { evidence.restart_seconds() } else { Vec::new() },
        speed_up: (design.tasks > 1).then(|| speed_up(evidence)).flatten(),
        tasks: evidence.runs.iter().map(TaskSummary::from).collect(),
        experiments: evidence.interruptions.iter().map(|it| it.experiment.experiment_id.clone()).collect(),
        checks: COMMON.iter().chain(design.checks).map(|check| check(evidence)).collect(),
    }
}

/// What one task would have taken for the items alone, by the time in which at least one of the tasks was at work.
fn speed_up(evidence: &Evidence) -> Option<f64> {
    let seconds = evidence.working_seconds();
    let alone = evidence.items.len() as f64 * evidence.conditions.item_seconds;
    (seconds > 0.0).then_some(alone / seconds)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
