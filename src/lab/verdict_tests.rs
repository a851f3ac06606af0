//! Evidence of a lab that went well, and what each flaw in it leads to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use aws_sdk_fis::types::ExperimentStatus;

use super::*;
use crate::aws::experiment::Experiment;
use crate::aws::program::Program;
use crate::aws::table::Item;
use crate::lab::checks::{ONE_AFTER_ANOTHER, primes_of};
use crate::lab::evidence::{Conditions, Expected, InterruptedTask};
use crate::lab::variant::{Restart, Variant, own};

const SIZE: u64 = 10;

/// Not shipped: the improved program, interrupted twice.
static TWICE: Design = Design {
    name: Cow::Borrowed("twice"),
    says: "Goes on after every interruption",
    program: Program::Improved,
    tasks: 1,
    restart: Restart::ByHand,
    expected: |next| Expected { first_index: next, redone: 0 },
    checks: ONE_AFTER_ANOTHER,
    breaks: &[],
};

fn items(indexes: Range<u64>, task: &str) -> Vec<Item> {
    let item = |index| Item {
        item_index: index,
        result: primes_of(index).to_string(),
        task_id: task.into(),
        written_at: format!("2026-01-01T00:00:{index:02}.000Z"),
    };
    indexes.map(item).collect()
}

fn task(id: &str, stop_code: TaskStopCode, reason: &str, exit_code: i32) -> Task {
    Task {
        task_arn: format!("arn:aws:ecs:us-east-1:000000000000:task/c/{id}"),
        last_status: "STOPPED".into(),
        desired_status: "STOPPED".into(),
        stop_code: Some(stop_code),
        stopped_reason: Some(reason.into()),
        exit_code: Some(exit_code),
        ..Task::default()
    }
}

/// The log of a task that has written these indexes.
fn log(indexes: Range<u64>) -> Vec<String> {
    let start = indexes.start;
    let begin = if start == 0 { "Starting at 0".to_owned() } else { format!("Continuing at {start}") };
    let puts = indexes.map(|index| format!("Successfully PUT item {index} out of {SIZE} into DDB"));
    std::iter::once("Starting batch job".to_owned()).chain([begin]).chain(puts).collect()
}

/// A task that an experiment has stopped, after which `items` were in the table.
fn interrupted(id: &str, indexes: Range<u64>, items: Vec<Item>) -> (Run, Interruption) {
    let reason = format!("Task stopped by AWS FIS (Experiment ID: EXP-{id})");
    let task = task(id, TaskStopCode::UserInitiated, &reason, 143);
    let completed = Experiment::ended(ExperimentStatus::Completed, "Experiment completed.");
    let interruption = Interruption {
        experiment: Experiment { experiment_id: format!("EXP-{id}"), ..completed },
        tasks: vec![InterruptedTask { task: task.clone(), interrupted_at_index: Some(indexes.end - 1) }],
        items,
    };
    (Run { task, log: log(indexes), began_at: None }, interruption)
}

/// A task that has come to its end by itself.
fn completed(id: &str, indexes: Range<u64>) -> Run {
    let reason = "Essential container in task exited";
    Run { task: task(id, TaskStopCode::EssentialContainerExited, reason, 0), log: log(indexes), began_at: None }
}

fn evidence(
    design: &Design,
    interrupted: impl IntoIterator<Item = (Run, Interruption)>,
    last: Run,
    items: Vec<Item>,
) -> Evidence {
    let (mut runs, interruptions): (Vec<Run>, Vec<Interruption>) = interrupted.into_iter().unzip();
    runs.push(last);
    let at_indexes = vec![4; interruptions.len()];
    let conditions = Conditions { batch_size: SIZE, item_seconds: 0.5, at_index: 4, at_indexes, tasks: design.tasks };
    Evidence {
        conditions,
        expected: design.expected,
        runs,
        interruptions,
        items,
        dead_items: Vec::new(),
        watchdog: None,
    }
}

fn of_original() -> Evidence {
    let first = interrupted("one", 0..5, items(0..5, "one"));
    evidence(Variant::Original.design(), [first], completed("two", 0..SIZE), items(0..SIZE, "two"))
}

fn of_improved() -> Evidence {
    let first = interrupted("one", 0..5, items(0..5, "one"));
    let all = [items(0..5, "one"), items(5..SIZE, "two")].concat();
    evidence(Variant::Improved.design(), [first], completed("two", 5..SIZE), all)
}

fn of_twice() -> Evidence {
    let (first, second) = (items(0..5, "one"), [items(0..5, "one"), items(5..8, "two")].concat());
    let all = [second.clone(), items(8..SIZE, "three")].concat();
    let interruptions = [interrupted("one", 0..5, first), interrupted("two", 5..8, second)];
    evidence(&TWICE, interruptions, completed("three", 8..SIZE), all)
}

fn original() -> Outcome {
    judge(Variant::Original.design(), &of_original())
}

/// Names of the checks that this evidence fails; what a design checks is the same for all three.
fn failed(evidence: &Evidence) -> Vec<Cow<'static, str>> {
    let checks = judge(&TWICE, evidence).checks;
    checks.iter().filter(|check| !check.ok).map(|check| check.name.clone()).collect()
}

#[test]
fn the_original_does_everything_again() {
    let outcome = original();
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    assert_eq!((outcome.interrupted_at_index, outcome.resumed_at_index), (Some(4), Some(0)));
    assert_eq!((outcome.items_redone, outcome.wasted_seconds), (5, 2.5));
}

#[test]
fn the_improved_one_goes_on_and_does_nothing_twice() {
    let outcome = judge(Variant::Improved.design(), &of_improved());
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    assert_eq!((outcome.interrupted_at_index, outcome.resumed_at_index), (Some(4), Some(5)));
    assert_eq!((outcome.items_redone, outcome.wasted_seconds), (0, 0.0));
}

#[test]
fn items_that_were_too_fast_for_the_experiment_are_named_as_the_reason() {
    let mut done = of_original();
    done.runs[0].task.exit_code = Some(0);
    let checks = judge(Variant::Original.design(), &done).checks;
    let failed = checks.iter().find(|check| !check.ok).unwrap();
    assert_eq!(failed.name, "stopped_by_experiment");
    assert!(failed.detail.contains("the items were done before the experiment"), "{}", failed.detail);
}

#[test]
fn a_design_that_is_interrupted_twice_is_judged_over_all_its_tasks() {
    let outcome = judge(&TWICE, &of_twice());
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    assert_eq!((outcome.variant.as_str(), outcome.tasks.len(), outcome.experiments.len()), ("twice", 3, 2));
    assert_eq!((outcome.interrupted_at_index, outcome.resumed_at_index, outcome.items_redone), (Some(4), Some(5), 0));
    assert_eq!(outcome.checks.len(), original().checks.len());
}

#[test]
fn a_flaw_of_the_second_interruption_is_found_as_one_of_the_first() {
    let mut lost = of_twice();
    lost.runs[1].log.pop();
    assert_eq!(failed(&lost), ["log_of_interrupted_task"]);
    let mut killed = of_twice();
    killed.runs[1].task.exit_code = Some(137);
    assert_eq!(failed(&killed), ["stopped_by_experiment"]);
    let mut cancelled = of_twice();
    cancelled.interruptions[1].experiment.status = ExperimentStatus::Stopped;
    assert_eq!(failed(&cancelled), ["experiment_completed"]);
    let mut again = of_twice();
    again.runs[2].log = log(7..SIZE);
    again.items[7].task_id = "three".into();
    assert_eq!(failed(&again), ["redone_as_expected", "resumed_where_it_should", "log_of_restarted_task"]);
    assert_eq!(judge(&TWICE, &again).items_redone, 1);
}

#[test]
fn an_interruption_without_its_task_or_no_interruption_at_all_proves_nothing() {
    let mut other = of_improved();
    other.interruptions[0].tasks.clear();
    assert!(failed(&other).contains(&"stopped_by_experiment".into()));
    let mut none = of_improved();
    none.interruptions.clear();
    for name in ["experiment_completed", "stopped_by_experiment", "interrupted_during_processing"] {
        assert!(failed(&none).contains(&name.into()), "{name}");
    }
    let mut not_restarted = of_improved();
    not_restarted.runs.pop();
    assert!(failed(&not_restarted).contains(&"restarted_task_succeeded".into()));
}

#[test]
fn a_wrong_result_is_found() {
    let mut evidence = of_improved();
    evidence.items[3].result = "1".into();
    assert_eq!(failed(&evidence), ["results_right"]);
}

#[test]
fn a_missing_and_a_surplus_item_are_found() {
    let mut evidence = of_improved();
    evidence.items.pop();
    assert!(!judge(&TWICE, &evidence).complete);
    evidence.items.extend(items(9..11, "two"));
    assert_eq!(failed(&evidence), ["every_index_once"]);
}

#[test]
fn an_improved_one_that_writes_an_item_again_fails() {
    let mut evidence = of_improved();
    evidence.items[4].task_id = "two".into();
    evidence.runs[1].log = log(4..SIZE);
    assert_eq!(failed(&evidence), ["redone_as_expected", "resumed_where_it_should", "log_of_restarted_task"]);
}

#[test]
fn a_task_that_was_killed_or_stopped_by_somebody_else_is_no_evidence() {
    let mut killed = of_original();
    killed.runs[0].task.exit_code = Some(137);
    assert_eq!(failed(&killed), ["stopped_by_experiment"]);
    let mut other = of_original();
    other.runs[0].task.stopped_reason = Some("Task stopped by user".into());
    assert_eq!(failed(&other), ["stopped_by_experiment"]);
    let mut by_itself = of_original();
    by_itself.runs[0].task.stop_code = Some(TaskStopCode::EssentialContainerExited);
    assert_eq!(failed(&by_itself), ["stopped_by_experiment"]);
}

#[test]
fn a_restarted_task_that_fails_is_found() {
    let mut failing = of_original();
    failing.runs[1].task.exit_code = Some(1);
    assert_eq!(failed(&failing), ["restarted_task_succeeded"]);
    let mut stopped = of_original();
    stopped.runs[1].task.stop_code = Some(TaskStopCode::UserInitiated);
    assert_eq!(failed(&stopped), ["restarted_task_succeeded"]);
}

#[test]
fn a_lost_log_line_is_found() {
    let mut evidence = of_original();
    evidence.runs[0].log.pop();
    assert_eq!(failed(&evidence), ["log_of_interrupted_task"]);
}

#[test]
fn an_interruption_before_its_index_or_after_the_last_item_proves_nothing() {
    let mut late = of_improved();
    late.interruptions[0].items = items(0..SIZE, "one");
    assert!(failed(&late).contains(&"interrupted_during_processing".into()));
    let mut early = of_improved();
    early.interruptions[0].items.truncate(4);
    assert!(failed(&early).contains(&"interrupted_during_processing".into()));
}

#[test]
fn the_results_of_ten_items_add_up_to_the_primes_below_100_000() {
    assert_eq!((0..10).map(primes_of).sum::<usize>(), 9_592);
}

/// The improved one, interrupted twice and restarted by the watchdog each time, half a second later.
fn of_watchdog() -> Evidence {
    let mut evidence = of_twice();
    for (number, run) in evidence.runs.iter_mut().enumerate() {
        let at = |seconds: usize, millis: u32| Some(format!("2026-01-01T00:00:{seconds:02}.{millis:03}Z"));
        run.task.created_at = at(10 * number, 100);
        run.began_at = at(10 * number, 500);
        run.task.started_at = run.began_at.clone();
        run.task.stopped_at = at(10 * (number + 1), 0);
        run.task.started_by = Some(if number == 0 { "fis-workshop".into() } else { "watchdog/0/5".into() });
    }
    evidence
}

/// Names of the checks of `variant` that this evidence fails.
fn failed_of(variant: Variant, evidence: &Evidence) -> Vec<Cow<'static, str>> {
    let checks = judge(variant.design(), evidence).checks;
    checks.iter().filter(|check| !check.ok).map(|check| check.name.clone()).collect()
}

#[test]
fn the_watchdog_restarts_one_task_after_each_interruption() {
    let outcome = judge(Variant::Watchdog.design(), &of_watchdog());
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    assert_eq!(outcome.restart_seconds, [0.5, 0.5]);
    let mut helped = of_watchdog();
    helped.runs[2].task.started_by = Some("fis-workshop".into());
    assert_eq!(failed_of(Variant::Watchdog, &helped), ["restarted_by_watchdog"]);
    let mut two = of_watchdog();
    two.runs[2].task.created_at = two.runs[1].task.started_at.clone();
    assert_eq!(failed_of(Variant::Watchdog, &two), ["one_task_at_a_time"]);
    let mut asleep = of_watchdog();
    asleep.runs.pop();
    assert!(failed_of(Variant::Watchdog, &asleep).contains(&"restarted_by_watchdog".into()));
}

/// Two tasks, each of which writes every other item; the first is stopped, then the second, then two more do the rest.
fn of_queue() -> Evidence {
    // The second task begins at 0 and writes its last item at 3, the third one begins at 10 and does so at 12.
    let time = |task: &str| format!("2026-01-01T00:00:{}Z", if ["one", "two"].contains(&task) { "03" } else { "12" });
    let by = |of: &[(u64, &str)]| -> Vec<Item> {
        let of_task = of.iter().flat_map(|(index, task)| items(*index..index + 1, task));
        of_task.map(|item| Item { written_at: time(&item.task_id), ..item }).collect()
    };
    let logs = |run: &mut Run, indexes: &[u64]| {
        run.log = indexes.iter().map(|index| format!("Successfully PUT item {index} out of {SIZE} into DDB")).collect();
    };
    let first = by(&[(0, "one"), (1, "two"), (2, "one")]);
    let second = [first.clone(), by(&[(3, "two"), (4, "two")])].concat();
    let all = [second.clone(), by(&[(5, "three"), (6, "four"), (7, "three"), (8, "four"), (9, "three")])].concat();
    let hits = [interrupted("one", 0..1, first), interrupted("two", 1..2, second)];
    let mut evidence = evidence(Variant::Queue.design(), hits, completed("three", 5..6), all);
    evidence.runs.push(completed("four", 6..7));
    for (run, indexes) in evidence.runs.iter_mut().zip([&[0, 2][..], &[1, 3, 4], &[5, 7, 9], &[6, 8]]) {
        logs(run, indexes);
    }
    for (run, (begin, end)) in evidence.runs.iter_mut().zip([(0, 2), (0, 3), (10, 12), (10, 11)]) {
        run.task.started_at = Some(format!("2026-01-01T00:00:{begin:02}Z"));
        run.task.stopped_at = Some(format!("2026-01-01T00:00:{end:02}Z"));
    }
    evidence
}

#[test]
fn tasks_that_share_the_work_are_judged_by_what_they_have_done_together() {
    let outcome = judge(Variant::Queue.design(), &of_queue());
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    // Ten items of half a second, written in five seconds in which a task was at work.
    assert_eq!((outcome.speed_up, outcome.resumed_at_index), (Some(1.0), None));
    let mut twice = of_queue();
    twice.runs[3].log.push(format!("Successfully PUT item 5 out of {SIZE} into DDB"));
    assert_eq!(failed_of(Variant::Queue, &twice), ["told_by_one_log"]);
    let mut dead = of_queue();
    dead.dead_items.push(7);
    assert_eq!(failed_of(Variant::Queue, &dead), ["no_item_is_dead"]);
    let mut alone = of_queue();
    alone.items.iter_mut().for_each(|item| item.task_id = "one".into());
    assert!(failed_of(Variant::Queue, &alone).contains(&"shared_by_tasks".into()));
    let mut late = of_queue();
    late.interruptions[1].items = late.items.clone();
    assert_eq!(failed_of(Variant::Queue, &late), ["interrupted_half_way"]);
}

#[test]
fn who_shares_the_work_gets_more_of_it() {
    let conditions = Conditions { batch_size: SIZE, item_seconds: 0.5, at_index: 4, at_indexes: vec![4], tasks: 5 };
    assert_eq!(conditions.of(Variant::Queue.design()).batch_size, 50);
    assert_eq!(conditions.of(Variant::Improved.design()).batch_size, SIZE);
}

/// What is documented of `lab --output json`, for any number of tasks.
#[test]
fn an_outcome_has_the_documented_keys() {
    let outcome = serde_json::to_value(judge(&TWICE, &of_twice())).unwrap();
    assert_eq!(outcome["variant"], "twice");
    assert_eq!(outcome["experiments"], serde_json::json!(["EXP-one", "EXP-two"]));
    let codes: Vec<_> = outcome["tasks"].as_array().unwrap().iter().map(|task| task["stop_code"].clone()).collect();
    assert_eq!(codes, ["UserInitiated", "UserInitiated", "EssentialContainerExited"]);
    let keys: BTreeMap<_, _> = outcome.as_object().unwrap().clone().into_iter().collect();
    let keys: Vec<_> = keys.keys().map(String::as_str).collect();
    let documented = [
        "batch_size",
        "checks",
        "complete",
        "experiments",
        "interrupted_at_index",
        "interrupted_at_indexes",
        "items",
        "items_redone",
        "prediction",
        "restart",
        "restart_seconds",
        "resumed_at_index",
        "speed_up",
        "tasks",
        "variant",
        "wasted_seconds",
    ];
    assert_eq!(keys, documented);
}

/// A worker that says nothing, and one that is as good as the improved one.
#[test]
fn the_table_tells_of_a_worker_what_its_log_does_not() {
    let design = own::design("mine");
    let judge = |change: fn(&mut Evidence)| {
        let mut evidence = of_improved();
        change(&mut evidence);
        judge(&design, &evidence)
    };
    let silent = judge(|evidence| evidence.runs.iter_mut().for_each(|run| run.log.clear()));
    for outcome in [judge(|_| ()), silent] {
        assert!(outcome.holds(), "{:#?}", outcome.checks);
        assert_eq!((outcome.variant.as_str(), outcome.resumed_at_index), ("mine", Some(5)));
    }
    // A program that SIGTERM ends may not have told of its last item; of any other it has.
    let cut = |last: usize| move |evidence: &mut Evidence| evidence.runs[0].log.truncate(last);
    let of = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = of_improved();
        change(&mut evidence);
        super::judge(&design, &evidence).holds()
    };
    assert!(of(&cut(6)));
    assert!(!of(&cut(5)));
    assert!(!of(&|evidence| evidence.runs[1].log.truncate(4)));
    // One that begins at 0 again is no better for not saying so.
    let over = of(&|evidence| {
        evidence.items = items(0..SIZE, "two");
        evidence.runs.iter_mut().for_each(|run| run.log.clear());
    });
    assert!(!over);
}
