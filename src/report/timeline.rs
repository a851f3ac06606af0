//! What happened on each variant's turn, in seconds on one clock. Pure: events in, numbers out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::record::{self, Event, Moment, What};

/// One variant's turn. Times are seconds since its first task was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Turn {
    pub(super) variant: String,
    /// Items that are to be done, if the record tells.
    pub(super) batch_size: Option<u64>,
    /// In the order in which they were made.
    pub(super) tasks: Vec<Task>,
    pub(super) experiments: Vec<Experiment>,
    /// When the last thing happened.
    pub(super) end: f64,
}

/// A task, as far as it was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Task {
    pub(super) id: String,
    /// From when it was in which state.
    pub(super) states: Vec<(State, f64)>,
    pub(super) writes: Vec<Write>,
    /// When it was STOPPED.
    pub(super) stopped: Option<f64>,
    pub(super) exit_code: Option<i32>,
    /// Who has started it, in the words of who did; nothing for a person.
    pub(super) started_by: Option<String>,
    /// When its log begins.
    pub(super) first_line: Option<f64>,
}

/// A state of ECS, as far as its times tell one from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Provisioning,
    Pending,
    Running,
    Stopping,
    Deprovisioning,
}

/// An item that was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Write {
    pub(super) index: u64,
    pub(super) at: f64,
    /// It was in the table already.
    pub(super) again: bool,
}

/// An experiment, and what it has hit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Experiment {
    pub(super) id: String,
    pub(super) start: f64,
    pub(super) end: Option<f64>,
    /// Ids of the tasks that it has stopped.
    pub(super) hit: Vec<String>,
    /// The highest index that was in the table then.
    pub(super) last_index: Option<u64>,
    /// How many items were in the table then.
    pub(super) items: u64,
}

/// The turns of a run, in their order.
pub(super) fn turns(events: &[Event]) -> Vec<Turn> {
    record::turns(events).into_iter().map(|(variant, events)| turn(variant, &events)).collect()
}

fn turn(variant: &str, events: &[&Event]) -> Turn {
    let made = events.iter().filter(|event| matches!(event.what, What::Task { moment: Moment::Created, .. }));
    // Without a task, nothing has happened that could be drawn.
    let begin = made.map(|event| event.at).min();
    let mut turn = Turn { variant: variant.to_owned(), ..Turn::default() };
    let mut written = BTreeSet::new();
    for event in events {
        let at = seconds(begin.unwrap_or(event.at), event.at);
        turn.take(event, at, &mut written);
    }
    turn.tasks.sort_by(|a, b| a.begin().total_cmp(&b.begin()));
    for task in &mut turn.tasks {
        task.states.sort_by(|a, b| a.1.total_cmp(&b.1));
        task.writes.sort_by(|a, b| a.at.total_cmp(&b.at));
    }
    turn
}

impl Turn {
    /// In the order of the file: an item that was written again comes after the one that it replaces.
    fn take(&mut self, event: &Event, at: f64, written: &mut BTreeSet<u64>) {
        match &event.what {
            What::Task { task, moment } => {
                let task = self.task(task);
                match State::since(*moment) {
                    Some(state) => task.states.push((state, at)),
                    None if *moment == Moment::Stopped => task.stopped = Some(at),
                    None => {}
                }
            }
            What::TaskEnded { task, exit_code, started_by, .. } => {
                let task = self.task(task);
                (task.exit_code, task.started_by) = (*exit_code, started_by.clone());
            }
            What::Line { task, .. } => {
                self.task(task).first_line.get_or_insert(at);
            }
            What::Item { index, task } => {
                let again = !written.insert(*index);
                self.task(task).writes.push(Write { index: *index, at, again });
            }
            What::ExperimentStarted { experiment } => self.experiment(experiment).start = at,
            What::ExperimentEnded { experiment, .. } => self.experiment(experiment).end = Some(at),
            What::Hit { experiment, task, last_index, items, .. } => {
                let experiment = self.experiment(experiment);
                experiment.hit.push(task.clone());
                (experiment.last_index, experiment.items) = (*last_index, *items);
            }
            What::Turn { batch_size, .. } => {
                self.batch_size = Some(*batch_size);
                return;
            }
            What::Sent { .. } | What::Result { .. } | What::Failed { .. } => return,
        }
        self.end = self.end.max(at);
    }

    fn task(&mut self, id: &str) -> &mut Task {
        let known = self.tasks.iter().position(|task| task.id == id);
        let place = known.unwrap_or_else(|| {
            self.tasks.push(Task { id: id.to_owned(), ..Task::default() });
            self.tasks.len() - 1
        });
        &mut self.tasks[place]
    }

    fn experiment(&mut self, id: &str) -> &mut Experiment {
        let known = self.experiments.iter().position(|experiment| experiment.id == id);
        let place = known.unwrap_or_else(|| {
            self.experiments.push(Experiment { id: id.to_owned(), ..Experiment::default() });
            self.experiments.len() - 1
        });
        &mut self.experiments[place]
    }

    /// Whether an experiment has stopped this task.
    pub(super) fn is_hit(&self, task: &Task) -> bool {
        self.experiments.iter().any(|experiment| experiment.hit.contains(&task.id))
    }
}

impl Task {
    fn begin(&self) -> f64 {
        self.states.iter().map(|(_, at)| *at).fold(f64::INFINITY, f64::min)
    }

    /// Its states, each with begin and end; the last one goes on until `now` if the task was not seen to stop.
    pub(super) fn spans(&self, now: f64) -> impl Iterator<Item = (State, f64, f64)> {
        let ends = self.states.iter().skip(1).map(|(_, at)| *at).chain([self.stopped.unwrap_or(now)]);
        self.states.iter().zip(ends).map(|((state, begin), end)| (*state, *begin, end))
    }
}

impl State {
    /// The state that begins at this moment. The states themselves have no times in ECS's answers, but their borders have.
    fn since(moment: Moment) -> Option<Self> {
        match moment {
            Moment::Created => Some(Self::Provisioning),
            Moment::PullStarted => Some(Self::Pending),
            Moment::Started => Some(Self::Running),
            Moment::Stopping => Some(Self::Stopping),
            Moment::ExecutionStopped => Some(Self::Deprovisioning),
            Moment::Connected | Moment::PullStopped | Moment::Stopped => None,
        }
    }

    /// As ECS calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
        }
    }
}

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).num_milliseconds() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Lines as a record has them, a second after one another.
    fn events(whats: serde_json::Value) -> Vec<Event> {
        let line = |(second, mut what): (usize, serde_json::Value)| {
            what["at"] = json!(format!("2026-08-01T10:00:{second:02}.000Z"));
            what["within_ms"] = json!(1);
            what["source"] = json!("ecs");
            what["variant"] = json!("original");
            serde_json::from_value(what).unwrap()
        };
        whats.as_array().unwrap().iter().cloned().enumerate().map(line).collect()
    }

    #[test]
    fn a_turn_is_told_in_seconds_since_its_first_task() {
        let task = |task: &str, moment: &str| json!({"event": "task", "task": task, "moment": moment});
        let item = |index: u64, task: &str| json!({"event": "item", "index": index, "task": task});
        let turns = turns(&events(json!([
            {"event": "turn", "batch_size": 2, "item_seconds": 1.0},
            task("one", "created"),
            task("one", "started"),
            item(0, "one"),
            {"event": "experiment_started", "experiment": "EXP1"},
            task("one", "stopped"),
            {"event": "hit", "experiment": "EXP1", "task": "one", "index": 0, "last_index": 0, "items": 1},
            task("two", "created"),
            item(0, "two"),
            item(1, "two"),
        ])));
        let [turn] = turns.as_slice() else { panic!("{turns:?}") };
        assert_eq!((turn.variant.as_str(), turn.end), ("original", 8.0));
        let writes = |task: &Task| task.writes.iter().map(|it| (it.index, it.at, it.again)).collect::<Vec<_>>();
        let [one, two] = turn.tasks.as_slice() else { panic!("{turns:?}") };
        assert_eq!(writes(one), [(0, 2.0, false)]);
        assert_eq!(writes(two), [(0, 7.0, true), (1, 8.0, false)]);
        let states: Vec<_> = one.spans(turn.end).map(|(state, begin, end)| (state.name(), begin, end)).collect();
        assert_eq!(states, [("PROVISIONING", 0.0, 1.0), ("RUNNING", 1.0, 4.0)]);
        // Not seen to stop: it is drawn as far as anything was seen.
        assert_eq!(two.spans(turn.end).collect::<Vec<_>>(), [(State::Provisioning, 6.0, 8.0)]);
        assert_eq!((turn.is_hit(one), turn.is_hit(two)), (true, false));
        assert_eq!((turn.experiments[0].start, turn.experiments[0].last_index), (3.0, Some(0)));
    }

    #[test]
    fn a_turn_in_which_nothing_ran_has_no_length() {
        let turns = turns(&events(json!([{"event": "turn", "batch_size": 2, "item_seconds": 1.0}])));
        assert_eq!((turns[0].end, turns[0].tasks.len()), (0.0, 0));
    }
}
