//! `improved`: goes on where the table says, and never writes what is there.

use std::sync::atomic::Ordering;

use dynoxide::{AttributeValue, Item};

use crate::lab::{IMPROVED, Lab, ORIGINAL, Run, TABLE, log_of, put_line};

#[test]
fn a_whole_batch_then_nothing_left_to_do() {
    let lab = Lab::new();

    let first = Run::start(&mut lab.command(IMPROVED)).wait();
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(first.stdout, log_of("Starting at 0", 0..10, 10));
    lab.assert_complete("batch", 10);

    let second = Run::start(&mut lab.command(IMPROVED)).wait();
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(second.stdout, log_of("Nothing left to do: all 10 items are written", 0..0, 10));
    assert_eq!(lab.accepted("batch").len(), 10);
}

#[test]
fn interrupted_it_goes_on_where_it_stopped() {
    let lab = Lab::new();
    let mut first = Run::start(lab.command(IMPROVED).env("ITEM_SECONDS", "0.1"));
    first.wait_for(&put_line(3, 10));
    first.kill();
    let next = lab.accepted("batch").len() as u64;

    let outcome = Run::start(&mut lab.command(IMPROVED)).wait();

    assert!(next >= 4);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let first_line = format!("Continuing at {next}");
    assert_eq!(outcome.stdout, log_of(&first_line, next..10, 10));
    lab.assert_complete("batch", 10);
    assert_eq!(lab.accepted("batch"), (0..10).collect::<Vec<u64>>());
}

#[test]
fn batches_do_not_see_one_another() {
    let lab = Lab::new();
    Run::start(&mut lab.command(ORIGINAL)).wait();

    let other = Run::start(lab.command(IMPROVED).env("BATCH_ID", "another")).wait();

    assert_eq!(other.stdout, log_of("Starting at 0", 0..10, 10));
    lab.assert_complete("another", 10);
}

#[test]
fn a_start_costs_one_request_at_any_table_size() {
    let lab = Lab::new();
    lab.hold_puts();
    let mut empty = Run::start(&mut lab.command(IMPROVED));
    empty.wait_for("Starting at 0");
    assert_eq!(lab.take_requests(), ["Query"]);
    empty.kill();

    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item = |index: u64| -> Item {
        let index = AttributeValue::N(index.to_string());
        [
            ("BatchId".to_owned(), text("batch")),
            ("ItemIndex".to_owned(), index),
            ("Result".to_owned(), text("1229")),
            ("TaskId".to_owned(), text("local")),
            ("WrittenAt".to_owned(), text("2026-01-31T12:00:00.000Z")),
        ]
        .into()
    };
    let items = (0..100_000).map(item).collect();
    let options = dynoxide::ImportOptions::default();
    let database = &lab.shared.database;
    database.import_items(TABLE, items, options).unwrap();
    lab.take_requests();

    let mut full = Run::start(lab.command(IMPROVED).env("BATCH_SIZE", "100001"));
    full.wait_for("Continuing at 100000");
    lab.wait_for_request("PutItem", 1);
    assert_eq!(lab.take_requests(), ["Query", "PutItem"]);
    full.kill();
}

#[test]
fn of_two_at_once_one_does_the_work_and_the_other_says_so() {
    let lab = Lab::new();
    lab.hold_puts();
    let mut runs = ["task-a", "task-b"].map(|id| {
        let uri = lab.metadata_uri(id);
        Run::start(lab.command(IMPROVED).env("ECS_CONTAINER_METADATA_URI_V4", uri))
    });
    for run in &mut runs {
        run.wait_for("Starting at 0");
    }
    lab.wait_for_request("PutItem", 2);
    lab.release_puts();
    let [a, b] = runs.map(Run::wait);

    let (loser, owner) = match a.code {
        Some(0) => (b, "task-a"),
        _ => (a, "task-b"),
    };
    assert_eq!(loser.code, Some(3), "{loser:?}");
    let line = format!("Another task owns the batch: item 0 was written by task {owner}\n");
    assert_eq!(loser.stderr, line);
    assert_eq!(loser.stdout, ["Starting batch job", "Starting at 0"]);
    lab.assert_complete("batch", 10);
    let accepted = lab.shared.accepted.lock().unwrap();
    let expected = (0..10).map(|i| ("batch".to_owned(), i, owner.to_owned()));
    assert_eq!(*accepted, expected.collect::<Vec<_>>());
}

#[test]
fn a_write_whose_answer_was_lost_is_not_a_conflict() {
    let lab = Lab::new();
    lab.shared.next_answer_lost.store(true, Ordering::SeqCst);

    let outcome = Run::start(lab.command(IMPROVED).env("BATCH_SIZE", "3")).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, log_of("Starting at 0", 0..3, 3));
    assert_eq!(lab.accepted("batch"), [0, 1, 2]);
    let puts = lab.take_requests().iter().filter(|r| *r == "PutItem").count();
    assert_eq!(puts, 4);
}
