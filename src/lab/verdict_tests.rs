//! Evidence of a lab that went well, and what each flaw in it leads to.

use super::*;

const SIZE: u64 = 10;

fn item(index: u64, task: &str) -> Item {
    Item {
        item_index: index,
        result: primes_of(index).to_string(),
        task_id: task.into(),
        written_at: format!("2026-01-01T00:00:{index:02}.000Z"),
    }
}

fn task(id: &str, stop_code: &str, reason: &str, exit_code: i32) -> Task {
    Task {
        task_arn: format!("arn:aws:ecs:us-east-1:000000000000:task/c/{id}"),
        task_definition_arn: String::new(),
        last_status: "STOPPED".into(),
        desired_status: "STOPPED".into(),
        created_at: None,
        started_at: None,
        stopped_at: None,
        stop_code: Some(stop_code.into()),
        stopped_reason: Some(reason.into()),
        exit_code: Some(exit_code),
        container_reason: None,
        tags: BTreeMap::new(),
    }
}

fn log(start: u64, indexes: std::ops::Range<u64>) -> Vec<String> {
    let begin = if start == 0 { "Starting at 0".to_owned() } else { format!("Continuing at {start}") };
    let puts = indexes.map(|index| format!("Successfully PUT item {index} out of {SIZE} into DDB"));
    std::iter::once("Starting batch job".to_owned()).chain([begin]).chain(puts).collect()
}

fn evidence(variant: Variant) -> Evidence {
    let before: Vec<Item> = (0..5).map(|index| item(index, "one")).collect();
    let (start, items) = match variant {
        Variant::Original => (0, (0..SIZE).map(|index| item(index, "two")).collect()),
        Variant::Improved => (5, before.iter().cloned().chain((5..SIZE).map(|index| item(index, "two"))).collect()),
    };
    Evidence {
        variant,
        batch_size: SIZE,
        item_seconds: 0.5,
        at_index: 4,
        experiment: Experiment {
            experiment_id: "EXP1".into(),
            status: "completed".into(),
            reason: "Experiment completed.".into(),
            ..Experiment::default()
        },
        interrupted: (task("one", "UserInitiated", "Task stopped by AWS FIS (Experiment ID: EXP1)", 143), log(0, 0..5)),
        items_after_interruption: before,
        restarted: (
            task("two", "EssentialContainerExited", "Essential container in task exited", 0),
            log(start, start..SIZE),
        ),
        items,
    }
}

fn failed(evidence: &Evidence) -> Vec<&'static str> {
    judge(evidence).checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn the_original_does_everything_again() {
    let outcome = judge(&evidence(Variant::Original));
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    assert_eq!((outcome.interrupted_at_index, outcome.resumed_at_index), (Some(4), Some(0)));
    assert_eq!((outcome.items_redone, outcome.wasted_seconds), (5, 2.5));
}

#[test]
fn the_improved_one_goes_on_and_does_nothing_twice() {
    let outcome = judge(&evidence(Variant::Improved));
    assert!(outcome.holds(), "{:#?}", outcome.checks);
    assert_eq!((outcome.interrupted_at_index, outcome.resumed_at_index), (Some(4), Some(5)));
    assert_eq!((outcome.items_redone, outcome.wasted_seconds), (0, 0.0));
}

#[test]
fn a_wrong_result_is_found() {
    let mut evidence = evidence(Variant::Improved);
    evidence.items[3].result = "1".into();
    assert_eq!(failed(&evidence), ["results_right"]);
}

#[test]
fn a_missing_and_a_surplus_item_are_found() {
    let mut evidence = evidence(Variant::Improved);
    evidence.items.pop();
    assert!(!judge(&evidence).complete);
    evidence.items.extend([item(9, "two"), item(10, "two")]);
    assert_eq!(failed(&evidence), ["every_index_once"]);
}

#[test]
fn an_improved_one_that_writes_an_item_again_fails() {
    let mut evidence = evidence(Variant::Improved);
    evidence.items[4].task_id = "two".into();
    evidence.restarted.1 = log(4, 4..SIZE);
    assert_eq!(failed(&evidence), ["resumed_where_it_should", "redone_as_expected", "log_of_restarted_task"]);
}

#[test]
fn a_task_that_was_killed_or_stopped_by_somebody_else_is_no_evidence() {
    let mut killed = evidence(Variant::Original);
    killed.interrupted.0.exit_code = Some(137);
    assert_eq!(failed(&killed), ["stopped_by_experiment"]);
    let mut other = evidence(Variant::Original);
    other.interrupted.0.stopped_reason = Some("Task stopped by user".into());
    assert_eq!(failed(&other), ["stopped_by_experiment"]);
}

#[test]
fn a_lost_log_line_is_found() {
    let mut evidence = evidence(Variant::Original);
    evidence.interrupted.1.pop();
    assert_eq!(failed(&evidence), ["log_of_interrupted_task"]);
}

#[test]
fn an_interruption_after_the_last_item_proves_nothing() {
    let mut evidence = evidence(Variant::Improved);
    evidence.items_after_interruption = (0..SIZE).map(|index| item(index, "one")).collect();
    assert!(failed(&evidence).contains(&"interrupted_during_processing"));
}

#[test]
fn the_results_of_ten_items_add_up_to_the_primes_below_100_000() {
    assert_eq!((0..10).map(primes_of).sum::<usize>(), 9_592);
}
