//! What a design leaves behind: the tasks and their logs, the experiments, the table. Facts only, and no AWS call.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::variant::{Design, Restart};
use crate::aws::arn::task_id;
use crate::aws::experiment::Experiment;
use crate::aws::table::Item;
use crate::aws::tasks::Task;
use crate::aws::watchdog::Said;
use crate::worker_log;

/// Under which conditions every design is looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Conditions {
    /// Items of a batch.
    pub(crate) batch_size: u64,
    /// Seconds an item takes.
    pub(crate) item_seconds: f64,
    /// The index after which the experiment is started.
    pub(crate) at_index: u64,
    /// The same for designs that are interrupted more than once.
    pub(crate) at_indexes: Vec<u64>,
    /// How many tasks share the work, where they can.
    pub(crate) tasks: u32,
}

impl Conditions {
    /// Those of a design: who is restarted by hand is interrupted once, who shares the work gets as much of it for each task.
    pub(crate) fn of(&self, design: &Design) -> Self {
        match design.restart {
            Restart::ByHand => Self { tasks: 1, at_indexes: vec![self.at_index], ..self.clone() },
            Restart::ByWatchdog => Self { tasks: 1, ..self.clone() },
            Restart::NotNeeded => Self { batch_size: self.batch_size * u64::from(self.tasks), ..self.clone() },
        }
    }

    /// The first fault that a design with these is put to.
    pub(super) fn first_fault(&self) -> String {
        let Self { batch_size, at_indexes, tasks, .. } = self;
        match at_indexes.first() {
            Some(index) if *tasks == 1 => {
                format!("the experiment will stop the task when index {index} of 0 to {} is written", batch_size - 1)
            }
            _ => format!(
                "the experiment will stop one of {tasks} tasks when {} of {batch_size} items are written",
                batch_size / 4
            ),
        }
    }
}

/// What should come of an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The first index that is worked on afterwards.
    pub(crate) first_index: u64,
    /// How many items are done once more.
    pub(crate) redone: u64,
}

/// What a design has left behind, beside what it has promised.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) conditions: Conditions,
    /// What an interruption should come to when the items below `next` were written.
    pub(crate) expected: fn(next: u64) -> Expected,
    /// Every task, in the order in which they were started.
    pub(crate) runs: Vec<Run>,
    /// Every interruption, in their order.
    pub(crate) interruptions: Vec<Interruption>,
    /// The table at the end.
    pub(crate) items: Vec<Item>,
    /// Items that no worker got done, by their messages.
    pub(crate) dead_items: Vec<u64>,
    /// What the watchdog has last said, if there was something to tell.
    pub(crate) watchdog: Option<Said>,
}

/// A task, STOPPED, and its log.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) task: Task,
    pub(crate) log: Vec<String>,
    /// Time of its first line.
    pub(crate) began_at: Option<String>,
}

/// What an experiment came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Interruption {
    pub(crate) experiment: Experiment,
    pub(crate) tasks: Vec<InterruptedTask>,
    /// The table when those tasks were STOPPED.
    #[serde(skip)]
    pub(crate) items: Vec<Item>,
}

/// A task that was hit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct InterruptedTask {
    /// The task, STOPPED.
    #[serde(flatten)]
    pub(crate) task: Task,
    /// The highest index that it had written; none if it had written nothing.
    pub(crate) interrupted_at_index: Option<u64>,
}

impl Evidence {
    /// The runs that `interruption` hit.
    pub(super) fn hit_by(&self, interruption: &Interruption) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| interruption.hit(run))
    }

    /// The runs that nothing hit.
    pub(super) fn left_alone(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| !self.interruptions.iter().any(|interruption| interruption.hit(run)))
    }

    /// For each interruption, how many items that were there were written again before the next one, or the end.
    pub(super) fn redone(&self) -> Vec<u64> {
        let tables = self.interruptions.iter().map(|interruption| &interruption.items).chain([&self.items]);
        let tables: Vec<_> = tables.collect();
        tables.windows(2).map(|pair| redone(pair[0], pair[1])).collect()
    }

    /// Seconds from the end of each interrupted task to the first line of the one after it, where one comes after another.
    pub(super) fn restart_seconds(&self) -> Vec<f64> {
        let gap = |pair: &[Run]| seconds(pair[0].task.stopped_at.as_deref()?, pair[1].began_at.as_deref()?);
        self.runs.windows(2).filter_map(gap).collect()
    }

    /// Seconds in which at least one task was at work: from its start to the last item that it wrote.
    pub(super) fn working_seconds(&self) -> f64 {
        let last_write = |run: &Run| {
            let own = self.items.iter().filter(|item| item.task_id == task_id(&run.task.task_arn));
            own.filter_map(|item| milliseconds(&item.written_at)).max()
        };
        let span = |run: &Run| Some((milliseconds(run.task.started_at.as_deref()?)?, last_write(run)?));
        let mut spans: Vec<_> = self.runs.iter().filter_map(span).collect();
        spans.sort_unstable();
        let mut covered = i64::MIN;
        let mut total = 0;
        for (begin, end) in spans {
            total += (end - begin.max(covered)).max(0);
            covered = covered.max(end);
        }
        total as f64 / 1000.0
    }

    /// The index at which run number `run` should begin, where runs come one after another.
    pub(super) fn first_index(&self, run: usize) -> u64 {
        let before = run.checked_sub(1).and_then(|before| self.interruptions.get(before));
        before.map_or(0, |interruption| (self.expected)(interruption.next()).first_index)
    }

    /// The indexes that run number `run` should have written, where runs come one after another.
    pub(super) fn stretch(&self, run: usize) -> Range<u64> {
        let end = self.interruptions.get(run).map_or(self.conditions.batch_size, Interruption::next);
        self.first_index(run)..end
    }

    /// The indexes that the log of run number `run` says were written.
    pub(super) fn puts(&self, run: usize) -> Vec<u64> {
        self.runs.get(run).map(|run| run.puts(self.conditions.batch_size)).unwrap_or_default()
    }

    /// The index at which run number `run` began: as it says itself, or else the first of the items that bear its task id.
    pub(super) fn resumed_at(&self, run: usize) -> Option<u64> {
        let id = |run: &Run| task_id(&run.task.task_arn).to_owned();
        let first = |id: String| self.items.iter().filter(|item| item.task_id == id).map(|item| item.item_index).min();
        self.started_at(run).or_else(|| self.runs.get(run).map(id).and_then(first))
    }

    /// The index at which run number `run` says that it began.
    pub(super) fn started_at(&self, run: usize) -> Option<u64> {
        let size = self.conditions.batch_size;
        self.runs.get(run)?.log.iter().find_map(|line| worker_log::start(line, size))
    }
}

impl Run {
    /// The indexes that the log says were written, of a batch of `size` items.
    pub(super) fn puts(&self, size: u64) -> Vec<u64> {
        let puts = self.log.iter().filter_map(|line| worker_log::put(line));
        puts.filter(|(_, of)| *of == size).map(|(index, _)| index).collect()
    }
}

impl Interruption {
    /// The highest index in the table.
    pub(super) fn last_index(&self) -> Option<u64> {
        self.items.iter().map(|item| item.item_index).max()
    }

    /// The index after that.
    pub(super) fn next(&self) -> u64 {
        self.last_index().map_or(0, |index| index + 1)
    }

    fn hit(&self, run: &Run) -> bool {
        self.tasks.iter().any(|hit| hit.task.task_arn == run.task.task_arn)
    }
}

fn milliseconds(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis())
}

fn seconds(from: &str, to: &str) -> Option<f64> {
    Some((milliseconds(to)? - milliseconds(from)?) as f64 / 1000.0)
}

/// How many items that were there at `before` were written again since.
fn redone(before: &[Item], after: &[Item]) -> u64 {
    let after: BTreeMap<u64, &Item> = after.iter().map(|item| (item.item_index, item)).collect();
    let changed = |item: &&Item| {
        after
            .get(&item.item_index)
            .is_some_and(|now| (&now.task_id, &now.written_at) != (&item.task_id, &item.written_at))
    };
    before.iter().filter(changed).count() as u64
}

/// What became of the tasks: the experiment's own end was told when it came.
impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hit in &self.tasks {
            let index = match hit.interrupted_at_index {
                Some(index) => format!("after index {index} was written"),
                None => "before it had written anything".to_owned(),
            };
            let code = hit.task.exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
            let reason = hit.task.stopped_reason.as_deref().unwrap_or_default();
            writeln!(f, "The task {} was stopped {index} ({code}): {reason}.", task_id(&hit.task.task_arn))?;
        }
        Ok(())
    }
}
