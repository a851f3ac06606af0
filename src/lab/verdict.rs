//! What the evidence says: the hypothesis "restarted, the job completes all items", and the invariants behind it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::deployed::Variant;
use crate::aws::experiment::Experiment;
use crate::aws::logs::put_line;
use crate::aws::table::{self, Item};
use crate::aws::tasks::Task;

/// What one variant has left behind: two tasks, the first of which was interrupted.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) variant: Variant,
    /// Items of the batch.
    pub(crate) batch_size: u64,
    /// Seconds an item takes.
    pub(crate) item_seconds: f64,
    /// The index after which the experiment was to be started.
    pub(crate) at_index: u64,
    pub(crate) experiment: Experiment,
    /// The task that was interrupted, and its log.
    pub(crate) interrupted: (Task, Vec<String>),
    /// The table when that task was STOPPED.
    pub(crate) items_after_interruption: Vec<Item>,
    /// The task that was run again, and its log.
    pub(crate) restarted: (Task, Vec<String>),
    pub(crate) items: Vec<Item>,
}

/// One invariant and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// It held.
    pub(crate) ok: bool,
    pub(crate) detail: String,
}

/// What became of one variant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    pub(crate) variant: Variant,
    /// How many items are in the table at the end.
    pub(crate) items: usize,
    /// Exactly the indexes of the batch: the hypothesis.
    pub(crate) complete: bool,
    /// Highest index written when the first task stopped.
    pub(crate) interrupted_at_index: Option<u64>,
    /// First index that the second task worked on.
    pub(crate) resumed_at_index: Option<u64>,
    /// Items that were there already when the second task wrote them.
    pub(crate) items_redone: usize,
    pub(crate) wasted_seconds: f64,
    /// Both tasks, the interrupted one first.
    pub(crate) tasks: Vec<TaskSummary>,
    /// Ids of the experiments.
    pub(crate) experiments: Vec<String>,
    pub(crate) checks: Vec<Check>,
}

/// A task, as far as it is evidence.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TaskSummary {
    pub(crate) task_arn: String,
    pub(crate) started_at: Option<String>,
    pub(crate) stopped_at: Option<String>,
    pub(crate) stop_code: Option<String>,
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

impl From<&Task> for TaskSummary {
    fn from(task: &Task) -> Self {
        let Task { task_arn, started_at, stopped_at, stop_code, stopped_reason, exit_code, .. } = task.clone();
        Self { task_arn, started_at, stopped_at, stop_code, stopped_reason, exit_code }
    }
}

/// Judges one variant.
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let interrupted_at = evidence.items_after_interruption.iter().map(|item| item.item_index).max();
    let resumed_at = start_in_log(&evidence.restarted.1, evidence.batch_size);
    let redone = redone(&evidence.items_after_interruption, &evidence.items);
    let complete = is_complete(&evidence.items, evidence.batch_size);
    let found = Found { interrupted_at, resumed_at, redone: redone.len(), complete };
    Outcome {
        variant: evidence.variant,
        items: evidence.items.len(),
        complete,
        interrupted_at_index: interrupted_at,
        resumed_at_index: resumed_at,
        items_redone: redone.len(),
        wasted_seconds: redone.len() as f64 * evidence.item_seconds,
        tasks: vec![(&evidence.interrupted.0).into(), (&evidence.restarted.0).into()],
        experiments: vec![evidence.experiment.experiment_id.clone()],
        checks: checks(evidence, &found),
    }
}

struct Found {
    interrupted_at: Option<u64>,
    resumed_at: Option<u64>,
    redone: usize,
    complete: bool,
}

fn checks(evidence: &Evidence, found: &Found) -> Vec<Check> {
    let Found { interrupted_at, resumed_at, redone, complete } = *found;
    let next = interrupted_at.map_or(0, |index| index + 1);
    let (first_index, redone_items) = match evidence.variant {
        Variant::Original => (0, usize::try_from(next).unwrap_or(usize::MAX)),
        Variant::Improved => (next, 0),
    };
    let show = |index: Option<u64>| index.map_or_else(|| "nothing".to_owned(), |index| index.to_string());
    let check = |name, ok, detail: String| Check { name, ok, detail };
    let in_time = interrupted_at.is_some_and(|at| at >= evidence.at_index && at + 1 < evidence.batch_size);
    let missing = table::missing(&evidence.items, evidence.batch_size);
    let wrong = wrong_results(&evidence.items, evidence.batch_size);
    vec![
        check(
            "experiment_completed",
            evidence.experiment.status == "completed",
            format!(
                "{} {}: {}",
                evidence.experiment.experiment_id, evidence.experiment.status, evidence.experiment.reason
            ),
        ),
        stopped_by_experiment(&evidence.interrupted.0, &evidence.experiment.experiment_id),
        check(
            "interrupted_during_processing",
            in_time,
            format!(
                "stopped with {} written; the experiment started at index {}",
                show(interrupted_at),
                evidence.at_index
            ),
        ),
        restarted_to_the_end(&evidence.restarted.0),
        check(
            "resumed_where_it_should",
            resumed_at == Some(first_index),
            format!("the second task started at {}, expected {first_index}", show(resumed_at)),
        ),
        check(
            "redone_as_expected",
            redone == redone_items,
            format!("{redone} items were written again, expected {redone_items}"),
        ),
        check("every_index_once", complete, format!("{} items, missing {missing:?}", evidence.items.len())),
        check("results_right", wrong.is_empty(), format!("wrong results at {wrong:?}")),
        log_tells_all("log_of_interrupted_task", &evidence.interrupted.1, 0..next, evidence.batch_size),
        log_tells_all(
            "log_of_restarted_task",
            &evidence.restarted.1,
            first_index..evidence.batch_size,
            evidence.batch_size,
        ),
    ]
}

fn stopped_by_experiment(task: &Task, experiment_id: &str) -> Check {
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    let code = task.stop_code.as_deref().unwrap_or_default();
    // 143 is 128 + SIGTERM: the worker had its time to end in order. 137 would be SIGKILL.
    let ok = code == "UserInitiated" && reason.contains(experiment_id) && task.exit_code == Some(143);
    Check { name: "stopped_by_experiment", ok, detail: format!("{code}, {reason:?}, exit code {}", exit_code(task)) }
}

fn exit_code(task: &Task) -> String {
    task.exit_code.map_or_else(|| "none".to_owned(), |code| code.to_string())
}

fn restarted_to_the_end(task: &Task) -> Check {
    let code = task.stop_code.as_deref().unwrap_or_default();
    let ok = code == "EssentialContainerExited" && task.exit_code == Some(0);
    Check { name: "restarted_task_succeeded", ok, detail: format!("{code}, exit code {}", exit_code(task)) }
}

/// Blocking logs lose nothing: the log has a line for every item that the table says was written, and no other.
fn log_tells_all(name: &'static str, log: &[String], expected: std::ops::Range<u64>, size: u64) -> Check {
    let puts: Vec<u64> =
        log.iter().filter_map(|line| put_line(line)).filter(|(_, of)| *of == size).map(|(index, _)| index).collect();
    let ok = puts.iter().copied().eq(expected.clone());
    Check {
        name,
        ok,
        detail: format!("it tells of {puts:?}, expected {} to {}", expected.start, expected.end.saturating_sub(1)),
    }
}

fn start_in_log(log: &[String], size: u64) -> Option<u64> {
    log.iter().find_map(|line| {
        if line.starts_with("Nothing left to do") {
            return Some(size);
        }
        let index = line.strip_prefix("Starting at ").or_else(|| line.strip_prefix("Continuing at "))?;
        index.parse().ok()
    })
}

/// Indexes that were there at `before` and were written again since.
fn redone(before: &[Item], after: &[Item]) -> Vec<u64> {
    let after: BTreeMap<u64, &Item> = after.iter().map(|item| (item.item_index, item)).collect();
    let changed = |item: &&Item| {
        after
            .get(&item.item_index)
            .is_some_and(|now| (&now.task_id, &now.written_at) != (&item.task_id, &item.written_at))
    };
    before.iter().filter(changed).map(|item| item.item_index).collect()
}

fn is_complete(items: &[Item], size: u64) -> bool {
    items.iter().map(|item| item.item_index).eq(0..size)
}

/// An index beyond the batch is wrong by itself, and `every_index_once` says so.
fn wrong_results(items: &[Item], size: u64) -> Vec<u64> {
    let wrong = |item: &&Item| item.item_index < size && item.result != primes_of(item.item_index).to_string();
    items.iter().filter(wrong).map(|item| item.item_index).collect()
}

/// What the work of an item comes to: how many primes there are in the `index`-th stretch of ten thousand numbers.
/// Computed independently of the worker, so that a bug there does not hide here.
fn primes_of(index: u64) -> usize {
    const STRETCH: u64 = 10_000;
    let (first, end) = (index * STRETCH, (index + 1) * STRETCH);
    let divisors: Vec<u64> = (2..).take_while(|d| d * d < end).filter(|d| is_prime(*d)).collect();
    let prime = |n: &u64| *n >= 2 && divisors.iter().take_while(|d| **d * **d <= *n).all(|d| !n.is_multiple_of(*d));
    (first..end).filter(prime).count()
}

fn is_prime(n: u64) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
