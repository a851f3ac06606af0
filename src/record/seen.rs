//! What the lab has looked at, as events: tasks, log lines, items, experiments.

use chrono::{DateTime, Utc};

use super::Recorder;
use super::event::{Moment, Source, What};
use crate::aws::arn::task_id;
use crate::aws::experiment::Experiment;
use crate::aws::logs::Line;
use crate::aws::table::Item;
use crate::aws::tasks::Task;
use crate::worker_log;

/// AWS rounds its times to milliseconds, or we do.
const ROUNDED: u64 = 1;

impl Recorder {
    /// What ECS says of a task. Again and again: only what is new is written.
    pub(crate) fn task(&self, task: &Task) {
        let id = task_id(&task.task_arn);
        for (moment, at) in moments(task) {
            self.note_once(at, ROUNDED, Source::Ecs, What::Task { task: id.to_owned(), moment });
        }
        if let (true, Some(at)) = (task.is_stopped(), time(task.stopped_at.as_deref())) {
            let ended = What::TaskEnded {
                task: id.to_owned(),
                stop_code: task.stop_code.as_ref().map(|code| code.as_str().to_owned()),
                reason: task.stopped_reason.clone(),
                exit_code: task.exit_code,
                started_by: task.started_by.clone(),
            };
            self.note_once(at, ROUNDED, Source::Ecs, ended);
        }
    }

    /// A line of the task's log.
    pub(crate) fn line(&self, task_arn: &str, line: &Line) {
        if let Some(at) = time(Some(&line.timestamp)) {
            let what = What::Line { task: task_id(task_arn).to_owned(), message: line.message.clone() };
            self.note(at, ROUNDED, Source::Logs, what);
        }
    }

    /// The item that the line says was written, for who does not look into the table.
    pub(crate) fn put(&self, task_arn: &str, line: &Line) {
        if let (Some(at), Some((index, _))) = (time(Some(&line.timestamp)), worker_log::put(&line.message)) {
            self.note(at, ROUNDED, Source::Logs, What::Item { index, task: task_id(task_arn).to_owned() });
        }
    }

    /// What is in the table. Again and again: only what is new is written, and what a task has written once more.
    pub(crate) fn items(&self, items: &[Item]) {
        for item in items {
            if let Some(at) = time(Some(&item.written_at)) {
                let what = What::Item { index: item.item_index, task: item.task_id.clone() };
                self.note_once(at, ROUNDED, Source::Dynamodb, what);
            }
        }
    }

    /// What FIS says of an experiment, as soon as it has begun and again when it is over.
    pub(crate) fn experiment(&self, now: &Experiment) {
        if let Some(at) = time(now.started_at.as_deref()) {
            let started = What::ExperimentStarted { experiment: now.experiment_id.clone() };
            self.note_once(at, ROUNDED, Source::Fis, started);
        }
        if let (true, Some(at)) = (now.is_over(), time(now.ended_at.as_deref())) {
            let ended = What::ExperimentEnded {
                experiment: now.experiment_id.clone(),
                status: now.status.as_str().to_owned(),
                reason: now.reason.clone(),
            };
            self.note_once(at, ROUNDED, Source::Fis, ended);
        }
    }

    /// A task that the experiment has hit, STOPPED, beside the table as it was then.
    pub(crate) fn hit(&self, experiment: &Experiment, task: &Task, index: Option<u64>, items: &[Item]) {
        if let Some(at) = time(task.stopped_at.as_deref()) {
            let hit = What::Hit {
                experiment: experiment.experiment_id.clone(),
                task: task_id(&task.task_arn).to_owned(),
                index,
                last_index: items.iter().map(|item| item.item_index).max(),
                items: items.len() as u64,
            };
            self.note(at, ROUNDED, Source::Ecs, hit);
        }
    }
}

fn moments(task: &Task) -> impl Iterator<Item = (Moment, DateTime<Utc>)> {
    let times = &task.times;
    let moments = [
        (Moment::Created, &task.created_at),
        (Moment::Connected, &times.connected_at),
        (Moment::PullStarted, &times.pull_started_at),
        (Moment::PullStopped, &times.pull_stopped_at),
        (Moment::Started, &task.started_at),
        (Moment::Stopping, &times.stopping_at),
        (Moment::ExecutionStopped, &times.execution_stopped_at),
        (Moment::Stopped, &task.stopped_at),
    ];
    moments.into_iter().filter_map(|(moment, at)| Some((moment, time(at.as_deref())?)))
}

/// A worker of somebody's own may write what is no time: such an item is in no order with the rest.
fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|time| time.to_utc())
}
