//! What is seen of an environment at one moment, and what follows from it without another question.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::TaskStopCode;

use crate::aws::logs::TaskLine;
use crate::aws::tasks::Task;
use crate::environment::Environment;
use crate::lab::variant::Variant;
use crate::status::{Status, TaskStatus};
use crate::worker_log;

/// One environment: the same for every viewer.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: Status,
    /// When the table was last emptied, in milliseconds; 0 if never.
    pub(crate) cleared_at: i64,
    /// Seconds for each item, unless a run overrides them.
    pub(crate) item_seconds: f64,
    /// What the tasks of the batch have written, all of them in one.
    pub(crate) log: Vec<TaskLine>,
}

/// The batch that is being worked through, or was worked through last, since the table was emptied.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// What runs it; none when it is a worker of one's own.
    pub(crate) variant: Option<Variant>,
    /// Its tasks, the oldest first.
    pub(crate) tasks: Vec<&'a Task>,
}

impl Seen {
    /// The environment.
    pub(crate) fn environment(&self) -> &Environment {
        &self.status.environment
    }

    /// The batch of the newest task, unless the table was emptied since.
    pub(crate) fn batch(&self) -> Option<Batch<'_>> {
        let newest = self.newest().filter(|it| it.task.should_run() || self.is_of_now(&it.task))?;
        Some(self.batch_of(newest, |task| self.is_of_now(task)))
    }

    /// All that ECS remembers of the variant that ran last, whenever the table was emptied.
    pub(crate) fn last_variant(&self) -> Option<Batch<'_>> {
        self.newest().map(|newest| self.batch_of(newest, |_| true))
    }

    fn batch_of(&self, newest: &TaskStatus, belongs: impl Fn(&Task) -> bool) -> Batch<'_> {
        let same = self.status.tasks.iter().filter(|it| it.variant == newest.variant && belongs(&it.task));
        let mut tasks: Vec<_> = same.map(|it| &it.task).collect();
        tasks.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        Batch { variant: variant_of(newest), tasks }
    }

    /// How many items are in the table, of how many.
    pub(crate) fn progress(&self) -> Option<(u64, u64)> {
        let table = self.status.table.as_ref()?;
        Some((table.batch_size - table.missing.len() as u64, table.batch_size))
    }

    /// Whether every item of the batch is in the table.
    pub(crate) fn is_complete(&self) -> bool {
        self.progress().is_some_and(|(written, size)| written == size)
    }

    /// How often each item was written, by the log: the table only knows the last time.
    pub(crate) fn writes(&self) -> BTreeMap<u64, usize> {
        let mut tasks: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for TaskLine { task_id, line } in &self.log {
            if let Some((index, _)) = worker_log::put(&line.message) {
                tasks.entry(index).or_default().insert(task_id);
            }
        }
        tasks.into_iter().map(|(index, tasks)| (index, tasks.len())).collect()
    }

    fn newest(&self) -> Option<&TaskStatus> {
        self.status.tasks.iter().max_by(|a, b| a.task.created_at.cmp(&b.task.created_at))
    }

    /// Whether the table was not emptied after the task had begun.
    fn is_of_now(&self, task: &Task) -> bool {
        let created = task.created_at.as_deref().and_then(|time| chrono::DateTime::parse_from_rfc3339(time).ok());
        created.is_none_or(|time| time.timestamp_millis() >= self.cleared_at)
    }
}

fn variant_of(task: &TaskStatus) -> Option<Variant> {
    let name = task.variant?;
    Variant::ALL.iter().copied().find(|variant| variant.design().name == name)
}

impl Batch<'_> {
    /// Its newest task.
    pub(crate) fn newest(&self) -> Option<&Task> {
        self.tasks.last().copied()
    }

    /// Whether one of its tasks runs, or is on its way there.
    pub(crate) fn is_at_work(&self) -> bool {
        self.tasks.iter().any(|task| task.should_run() || !task.is_stopped())
    }

    /// Its first task that was ended from outside, by an experiment or somebody, before the work was done.
    pub(crate) fn interrupted(&self) -> Option<&Task> {
        self.tasks.iter().copied().find(|task| was_interrupted(task))
    }

    /// Whether it was interrupted, and came to its end all the same.
    pub(crate) fn has_survived(&self) -> bool {
        let after = self.tasks.iter().skip_while(|task| !was_interrupted(task));
        after.skip(1).any(|task| task.exit_code == Some(0)) || self.others_went_on()
    }

    /// Of tasks that share their work, one that was stopped may be the last that was started.
    fn others_went_on(&self) -> bool {
        let shares = self.variant.is_some_and(|variant| variant.design().tasks > 1);
        shares && self.interrupted().is_some() && self.tasks.iter().any(|task| task.exit_code == Some(0))
    }
}

/// SIGTERM, or SIGKILL out of the blue; what a worker ends with by itself is another matter.
pub(crate) fn was_interrupted(task: &Task) -> bool {
    let asked = task.stop_code == Some(TaskStopCode::UserInitiated);
    task.is_stopped() && task.exit_code != Some(0) && (asked || matches!(task.exit_code, Some(137 | 143)))
}
