use aws_sdk_fis::types::ExperimentStatus;

use super::*;
use crate::aws::experiment::Experiment;
use crate::aws::logs::{Line, TaskLine};
use crate::aws::table::Item;
use crate::aws::watchdog::Said;
use crate::environment::Environment;
use crate::status::{Status, TableStatus, TaskStatus};

/// A complete environment in which nothing has run.
fn fresh() -> Seen {
    let mut status = Status::of_nothing(Target::Local, Environment::default());
    for stack in &mut status.stacks {
        stack.status = Some("CREATE_COMPLETE".to_owned());
    }
    let mut seen = Seen { status, cleared_at: 0, item_seconds: 30.0, log: Vec::new() };
    write(&mut seen, 0);
    seen
}

/// The first `count` of ten items are there.
fn write(seen: &mut Seen, count: u64) {
    let item = |item_index| Item { item_index, result: "1".into(), task_id: "1".into(), written_at: "t".into() };
    let written: Vec<_> = (0..count).map(item).collect();
    seen.status.table = Some(TableStatus {
        table: "T".into(),
        items: written.len(),
        written,
        batch_size: 10,
        missing: (count..10).collect(),
    });
}

/// A task of minute `minute`; one without an exit code runs.
fn task(seen: &mut Seen, variant: &'static str, minute: usize, exit_code: Option<i32>) {
    let (status, desired) = if exit_code.is_some() { ("STOPPED", "STOPPED") } else { ("RUNNING", "RUNNING") };
    let by_fis = exit_code == Some(143);
    let task = Task {
        task_arn: format!("task/{minute}"),
        last_status: status.into(),
        desired_status: desired.into(),
        created_at: Some(format!("2026-01-01T00:{minute:02}:00.000Z")),
        exit_code,
        stopped_reason: by_fis.then(|| "Task stopped by AWS FIS (Experiment ID: EXP1).".to_owned()),
        ..Task::default()
    };
    seen.status.tasks.insert(0, TaskStatus { variant: Some(variant), task });
}

/// The table was emptied in minute `minute`.
fn clear(seen: &mut Seen, minute: u32) {
    write(seen, 0);
    let time = format!("2026-01-01T00:{minute:02}:30.000Z");
    seen.cleared_at = chrono::DateTime::parse_from_rfc3339(&time).unwrap().timestamp_millis();
    seen.log.clear();
}

fn log(seen: &mut Seen, task_id: &str, message: &str) {
    let line = Line { timestamp: "t".into(), message: message.into() };
    seen.log.push(TaskLine { task_id: task_id.into(), line });
}

/// Turn, title and command.
fn told(seen: &Seen) -> (Turn, String, String) {
    let step = next(seen);
    (step.turn, step.title, step.command.unwrap_or_default())
}

#[track_caller]
fn is(seen: &Seen, turn: Turn, title: &str, command: &str) {
    assert_eq!(told(seen), (turn, title.to_owned(), command.to_owned()));
}

#[test]
fn without_a_stack_it_is_set_up_first() {
    let mut seen = fresh();
    seen.status.table = None;
    seen.status.stacks[1].status = None;
    is(&seen, Turn::Person, "Set up the lab", "fis-workshop up");
    for (status, turn) in [
        ("CREATE_IN_PROGRESS", Turn::Machine),
        ("DELETE_IN_PROGRESS", Turn::Machine),
        ("ROLLBACK_COMPLETE", Turn::Stuck),
        ("CREATE_FAILED", Turn::Stuck),
        ("CREATE_COMPLETE", Turn::Stuck),
    ] {
        seen.status.stacks[1].status = Some(status.to_owned());
        assert_eq!(next(&seen).turn, turn, "{status}");
    }
}

#[test]
fn the_original_is_run_broken_and_run_again() {
    let mut seen = fresh();
    is(&seen, Turn::Person, "Run the original version", "fis-workshop run original --item-seconds 5");
    task(&mut seen, "original", 1, None);
    is(&seen, Turn::Person, "Break it", "fis-workshop interrupt --at-index 4");
    write(&mut seen, 5);
    seen.status.tasks.clear();
    task(&mut seen, "original", 1, Some(143));
    is(&seen, Turn::Person, "Run it again", "fis-workshop run original --item-seconds 5");
    assert!(next(&seen).why.ends_with("5 items are missing."), "{:?}", next(&seen));
    task(&mut seen, "original", 2, None);
    log(&mut seen, "2", "Starting at 0");
    is(&seen, Turn::Machine, "It goes on", "");
    assert!(next(&seen).why.ends_with("began again at index 0."), "{:?}", next(&seen));
    seen.status.tasks.remove(0);
    task(&mut seen, "original", 2, Some(0));
    write(&mut seen, 10);
    for (task, index) in [("1", 0), ("2", 0), ("2", 1)] {
        log(&mut seen, task, &format!("Successfully PUT item {index} out of 10 into DDB"));
    }
    is(&seen, Turn::Person, "Empty the table for the next one", "fis-workshop clear");
    assert_eq!(next(&seen).why, "It is complete. One item was done twice.");
    clear(&mut seen, 2);
    is(&seen, Turn::Person, "Run the improved version", "fis-workshop run improved --item-seconds 5");
}

#[test]
fn what_nobody_has_interrupted_is_run_once_more() {
    let mut seen = fresh();
    task(&mut seen, "improved", 1, Some(0));
    write(&mut seen, 10);
    is(&seen, Turn::Person, "Empty the table", "fis-workshop clear");
    clear(&mut seen, 1);
    is(&seen, Turn::Person, "Run the improved version", "fis-workshop run improved --item-seconds 5");
    assert_eq!(next(&seen).chapter.name(), "improved");
}

#[test]
fn nobody_restarts_what_the_watchdog_watches() {
    let mut seen = fresh();
    task(&mut seen, "watchdog", 1, Some(143));
    write(&mut seen, 5);
    is(&seen, Turn::Machine, "Start nothing", "");
    let message = "Gave up after 3 restarts".to_owned();
    seen.status.watchdog = Some(Said { state: "gave up".into(), message, looked_at: "t".into() });
    is(&seen, Turn::Stuck, "The watchdog has given up", "fis-workshop logs watchdog --function");
}

#[test]
fn the_queue_is_the_last_one() {
    let mut seen = fresh();
    for minute in 1..4 {
        task(&mut seen, "queue", minute, None);
    }
    is(&seen, Turn::Person, "Break it", "fis-workshop interrupt --one");
    seen.status.tasks.clear();
    for (minute, code) in [(1, 0), (2, 0), (3, 143)] {
        task(&mut seen, "queue", minute, Some(code));
    }
    write(&mut seen, 10);
    is(&seen, Turn::Nobody, "You are through", "");
    clear(&mut seen, 3);
    is(&seen, Turn::Nobody, "You are through", "");
}

#[test]
fn a_task_that_fails_by_itself_is_where_somebody_needs_help() {
    let mut seen = fresh();
    task(&mut seen, "original", 1, Some(1));
    write(&mut seen, 3);
    is(&seen, Turn::Stuck, "The task has failed", "fis-workshop logs");
    // A task that did not even start.
    seen.status.tasks[0].task.exit_code = None;
    seen.status.tasks[0].task.stopped_reason = Some("CannotPullContainerError: i/o timeout".into());
    assert!(next(&seen).why.contains("could not reach the image's registry"), "{:?}", next(&seen));
}

#[test]
fn items_whose_tasks_ecs_has_forgotten_are_in_the_way() {
    let mut seen = fresh();
    write(&mut seen, 10);
    is(&seen, Turn::Person, "Empty the table", "fis-workshop clear");
}

#[test]
fn an_experiment_alone_changes_nothing() {
    let mut seen = fresh();
    let before = next(&seen);
    seen.status.experiments.push(Experiment::ended(ExperimentStatus::Failed, "Target resolution returned empty set"));
    assert_eq!(next(&seen), before);
}

#[test]
fn on_aws_an_item_takes_its_time() {
    let mut seen = fresh();
    seen.status.target = Target::Aws;
    is(&seen, Turn::Person, "Run the original version", "fis-workshop run original");
}
