//! The invariants behind the hypothesis, a function for each. A design chooses which of them hold for it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aws_sdk_ecs::types::TaskStopCode;
use aws_sdk_fis::types::ExperimentStatus;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Run};
use crate::aws::experiment::Experiment;
use crate::aws::table::{self, Item};
use crate::aws::tasks::Task;
use crate::aws::watchdog::STARTED_BY as WATCHDOG;

/// Looks at one invariant.
pub(crate) type Check = fn(&Evidence) -> Checked;

/// One invariant and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checked {
    pub(crate) name: Cow<'static, str>,
    /// It held.
    pub(crate) ok: bool,
    /// What was seen, in a sentence.
    pub(crate) detail: String,
}

/// What holds for every design.
pub(super) const COMMON: &[Check] = &[
    experiment_completed,
    stopped_by_experiment,
    restarted_task_succeeded,
    redone_as_expected,
    every_index_once,
    results_right,
];

/// What holds where one task runs at a time, and the next one takes over from it.
pub(super) const ONE_AFTER_ANOTHER: &[Check] =
    &[interrupted_during_processing, resumed_where_it_should, log_of_interrupted_task, log_of_restarted_task];

/// The same for a worker whose log nobody has promised.
pub(super) const OWN: &[Check] =
    &[interrupted_during_processing, went_on_where_it_should, log_of_own_interrupted_task, log_of_own_restarted_task];

/// The same where nobody restarts the job but its watchdog.
pub(super) const RESTARTED_BY_ITSELF: &[Check] = &[
    interrupted_during_processing,
    resumed_where_it_should,
    log_of_interrupted_task,
    log_of_restarted_task,
    restarted_by_watchdog,
    one_task_at_a_time,
];

/// What holds where several tasks share the work.
pub(super) const SHARED: &[Check] = &[interrupted_half_way, shared_by_tasks, told_by_one_log, no_item_is_dead];

fn experiment_completed(evidence: &Evidence) -> Checked {
    let findings = evidence.interruptions.iter().map(|interruption| {
        let experiment = &interruption.experiment;
        let ok = experiment.status == ExperimentStatus::Completed;
        let Experiment { experiment_id, status, reason, .. } = experiment;
        (ok, format!("the experiment {experiment_id} ended as {status}: {reason}"))
    });
    all("experiment_completed", findings)
}

fn stopped_by_experiment(evidence: &Evidence) -> Checked {
    let findings = evidence.interruptions.iter().flat_map(|interruption| {
        let id = &interruption.experiment.experiment_id;
        let hit: Vec<_> = evidence.hit_by(interruption).map(|run| stopped_by(&run.task, id)).collect();
        if hit.is_empty() { vec![(false, format!("the experiment {id} hit no task"))] } else { hit }
    });
    all("stopped_by_experiment", findings)
}

fn stopped_by(task: &Task, experiment_id: &str) -> (bool, String) {
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    // 143 is 128 + SIGTERM: the worker had its time to end in order. 137 would be SIGKILL.
    let ok = task.stop_code == Some(TaskStopCode::UserInitiated)
        && reason.contains(experiment_id)
        && task.exit_code == Some(143);
    let what = match task.exit_code {
        _ if ok => "the experiment stopped the task, which ended in order".to_owned(),
        Some(0) => {
            "the items were done before the experiment could stop the task; a longer `--item-seconds` helps".to_owned()
        }
        Some(137) => "the task did not end when it was told to, and was killed".to_owned(),
        _ if reason.contains(experiment_id) => "the experiment stopped the task, which did not end in order".to_owned(),
        _ => format!("something other than the experiment {experiment_id} stopped the task"),
    };
    (ok, format!("{what} ({})", ending(task)))
}

fn interrupted_during_processing(evidence: &Evidence) -> Checked {
    let (size, at_indexes) = (evidence.conditions.batch_size, &evidence.conditions.at_indexes);
    let findings = evidence.interruptions.iter().zip(at_indexes).map(|(interruption, &at_index)| {
        let last = interruption.last_index();
        let ok = last.is_some_and(|at| at >= at_index && at + 1 < size);
        let written = match last {
            None => "before anything was written".to_owned(),
            Some(at) if at + 1 >= size => "after the last item was written".to_owned(),
            Some(at) => format!("after index {at} was written"),
        };
        (ok, format!("the task was stopped {written}; the experiment was started at index {at_index}"))
    });
    all("interrupted_during_processing", findings)
}

fn restarted_task_succeeded(evidence: &Evidence) -> Checked {
    let findings = evidence.left_alone().map(|Run { task, .. }| {
        let ok = task.stop_code == Some(TaskStopCode::EssentialContainerExited) && task.exit_code == Some(0);
        let what = if ok { "the task that was run again did its work" } else { "the task that was run again failed" };
        (ok, format!("{what} ({})", ending(task)))
    });
    all("restarted_task_succeeded", findings)
}

fn redone_as_expected(evidence: &Evidence) -> Checked {
    let findings = evidence.redone().into_iter().zip(&evidence.interruptions).map(|(redone, interruption)| {
        let expected = (evidence.expected)(interruption.next()).redone;
        (redone == expected, format!("items done twice: {redone}; it should be {expected}"))
    });
    all("redone_as_expected", findings)
}

fn every_index_once(evidence: &Evidence) -> Checked {
    let size = evidence.conditions.batch_size;
    let missing = table::missing(&evidence.items, size);
    let detail = format!("the table has {} items of {size}; missing: {}", evidence.items.len(), list(&missing));
    Checked { name: "every_index_once".into(), ok: is_complete(evidence), detail }
}

fn results_right(evidence: &Evidence) -> Checked {
    let wrong = wrong_results(&evidence.items, evidence.conditions.batch_size);
    let detail = format!("items with a wrong result: {}", list(&wrong));
    Checked { name: "results_right".into(), ok: wrong.is_empty(), detail }
}

/// Tasks that share the work write its items in no particular order, so they are counted.
fn interrupted_half_way(evidence: &Evidence) -> Checked {
    let size = evidence.conditions.batch_size;
    let findings = evidence.interruptions.iter().map(|interruption| {
        let written = interruption.items.len() as u64;
        (written > 0 && written < size, format!("{written} of {size} items were written when a task was stopped"))
    });
    all("interrupted_half_way", findings)
}

fn restarted_by_watchdog(evidence: &Evidence) -> Checked {
    let findings = (0..evidence.interruptions.len()).map(|hit| {
        let starter = evidence.runs.get(hit + 1).map(|run| run.task.started_by.as_deref().unwrap_or("nobody"));
        let ok = starter.is_some_and(|starter| starter.starts_with(WATCHDOG));
        let said = evidence.watchdog.as_ref().map_or("it has said nothing", |said| said.message.as_str());
        let who = match starter {
            Some(starter) => format!("the task was restarted by {starter}"),
            None => format!("the watchdog did not restart the task ({said})"),
        };
        (ok, who)
    });
    all("restarted_by_watchdog", findings)
}

fn one_task_at_a_time(evidence: &Evidence) -> Checked {
    let findings = evidence.runs.windows(2).map(|pair| {
        let (stopped, created) = (pair[0].task.stopped_at.as_deref(), pair[1].task.created_at.as_deref());
        let ok = stopped.zip(created).is_some_and(|(stopped, created)| stopped <= created);
        let moment = |time: Option<&str>| time.unwrap_or("nobody knows when").to_owned();
        (ok, format!("a task stopped at {}, the next one was made at {}", moment(stopped), moment(created)))
    });
    all("one_task_at_a_time", findings)
}

fn shared_by_tasks(evidence: &Evidence) -> Checked {
    let tasks: BTreeSet<_> = evidence.items.iter().map(|item| item.task_id.as_str()).collect();
    let detail = format!("{} tasks have written the items", tasks.len());
    Checked { name: "shared_by_tasks".into(), ok: tasks.len() > 1, detail }
}

/// A message that was handed out twice is work for nobody: the item is in the table, and no second log says that it wrote it.
fn told_by_one_log(evidence: &Evidence) -> Checked {
    let size = evidence.conditions.batch_size;
    let mut told: Vec<u64> = evidence.runs.iter().flat_map(|run| run.puts(size)).collect();
    told.sort_unstable();
    let twice: Vec<u64> = told.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    let detail = format!("items that two logs say were written: {}", list(&twice));
    Checked { name: "told_by_one_log".into(), ok: twice.is_empty(), detail }
}

fn no_item_is_dead(evidence: &Evidence) -> Checked {
    let detail = format!("items that were given up: {}", list(&evidence.dead_items));
    Checked { name: "no_item_is_dead".into(), ok: evidence.dead_items.is_empty(), detail }
}

fn resumed_where_it_should(evidence: &Evidence) -> Checked {
    resumed(evidence, Evidence::started_at)
}

/// By the table, if the log does not say it.
fn went_on_where_it_should(evidence: &Evidence) -> Checked {
    resumed(evidence, Evidence::resumed_at)
}

fn resumed(evidence: &Evidence, at: fn(&Evidence, usize) -> Option<u64>) -> Checked {
    let findings = (1..=evidence.interruptions.len()).map(|run| {
        let (started, expected) = (at(evidence, run), evidence.first_index(run));
        let at = started.map_or_else(|| "nowhere".to_owned(), |index| format!("at index {index}"));
        (started == Some(expected), format!("the task that was run again started {at}; it should be index {expected}"))
    });
    all("resumed_where_it_should", findings)
}

fn log_of_interrupted_task(evidence: &Evidence) -> Checked {
    all("log_of_interrupted_task", (0..evidence.interruptions.len()).map(|run| log_tells_all(evidence, run)))
}

fn log_of_restarted_task(evidence: &Evidence) -> Checked {
    all("log_of_restarted_task", [log_tells_all(evidence, evidence.interruptions.len())].into_iter())
}

/// A program that does not handle SIGTERM ends at once, perhaps between an item and its line.
fn log_of_own_interrupted_task(evidence: &Evidence) -> Checked {
    let findings = (0..evidence.interruptions.len()).map(|run| {
        let (told, puts) = (log_tells_all(evidence, run), evidence.puts(run));
        let is_all_but_last = puts.iter().copied().eq(evidence.stretch(run).take(puts.len()))
            && puts.len() as u64 + 1 == evidence.stretch(run).count() as u64;
        (told.0 || puts.is_empty() || is_all_but_last, told.1)
    });
    all("log_of_interrupted_task", findings)
}

fn log_of_own_restarted_task(evidence: &Evidence) -> Checked {
    let run = evidence.interruptions.len();
    let (ok, detail) = log_tells_all(evidence, run);
    all("log_of_restarted_task", [(ok || evidence.puts(run).is_empty(), detail)].into_iter())
}

/// Blocking logs lose nothing: the log has a line for every item that the table says was written, and no other.
fn log_tells_all(evidence: &Evidence, run: usize) -> (bool, String) {
    let expected = evidence.stretch(run);
    let puts = evidence.puts(run);
    let ok = puts.iter().copied().eq(expected.clone());
    let wanted = format!("{} to {}", expected.start, expected.end.saturating_sub(1));
    (ok, format!("the log of task {} tells of the items {}; it should be {wanted}", run + 1, list(&puts)))
}

/// An invariant of several things holds when it holds for all of them; of nothing at all, nothing was seen to hold.
fn all(name: &'static str, findings: impl Iterator<Item = (bool, String)>) -> Checked {
    let (oks, details): (Vec<bool>, Vec<String>) = findings.unzip();
    let ok = !oks.is_empty() && oks.into_iter().all(|ok| ok);
    let detail = if details.is_empty() { "there was nothing to look at".to_owned() } else { details.join("; ") };
    Checked { name: name.into(), ok, detail }
}

fn list(indexes: &[u64]) -> String {
    let indexes: Vec<_> = indexes.iter().map(u64::to_string).collect();
    if indexes.is_empty() { "none".to_owned() } else { indexes.join(", ") }
}

/// The exit code, and the words of ECS.
fn ending(task: &Task) -> String {
    let code = task.exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
    let reason = task.stopped_reason.as_deref().unwrap_or("no reason");
    format!("{code}; ECS says: {}", reason.trim_end_matches('.'))
}

/// Exactly the indexes of the batch are in the table: the hypothesis.
pub(super) fn is_complete(evidence: &Evidence) -> bool {
    evidence.items.iter().map(|item| item.item_index).eq(0..evidence.conditions.batch_size)
}

/// An index beyond the batch is wrong by itself, and `every_index_once` says so.
pub(crate) fn wrong_results(items: &[Item], size: u64) -> Vec<u64> {
    let wrong = |item: &&Item| item.item_index < size && item.result != primes_of(item.item_index).to_string();
    items.iter().filter(wrong).map(|item| item.item_index).collect()
}

/// What the work of an item comes to: how many primes there are in the `index`-th stretch of ten thousand numbers.
/// Computed independently of the worker, so that a bug there does not hide here.
pub(super) fn primes_of(index: u64) -> usize {
    const STRETCH: u64 = 10_000;
    let (first, end) = (index * STRETCH, (index + 1) * STRETCH);
    let divisors: Vec<u64> = (2..).take_while(|d| d * d < end).filter(|d| is_prime(*d)).collect();
    let prime = |n: &u64| *n >= 2 && divisors.iter().take_while(|d| **d * **d <= *n).all(|d| !n.is_multiple_of(*d));
    (first..end).filter(prime).count()
}

fn is_prime(n: u64) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}
