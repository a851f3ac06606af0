//! `queue`: every item is a message, and any number of tasks share them.

use std::{thread, time::Duration};

use rand::RngExt;
use rustix::process::Signal;

use crate::{
    killing::Dice,
    lab::{IMPROVED, Lab, Run, put_line},
};

const HOUR: Duration = Duration::from_secs(3600);

/// A log without its first two lines, which are always the same.
fn items_of(log: &[String]) -> &[String] {
    assert_eq!(log[..2], ["Starting batch job", "Taking items from the queue"]);
    &log[2..]
}

fn with(line: &str, mut log: Vec<String>) -> Vec<String> {
    log.push(line.to_owned());
    log
}

const EMPTY: &str = "Nothing left to do: the queue is empty";

#[test]
fn one_task_empties_the_queue() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..10);

    let outcome = Run::start(&mut lab.queue()).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stderr, "");
    assert_eq!(items_of(&outcome.stdout), with(EMPTY, (0..10).map(|i| put_line(i, 10)).collect()));
    lab.assert_complete("batch", 10);
    assert!(lab.shared.sqs.is_empty());
}

#[test]
fn an_item_costs_three_requests() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..20);
    let mut run = Run::start(lab.queue().env("BATCH_SIZE", "20").env("ITEM_SECONDS", "0"));
    run.wait_for(&put_line(19, 20));
    let requests = lab.take_requests();
    run.kill();
    let item = ["ReceiveMessage", "PutItem", "DeleteMessage"];
    let rounds = 19 * item.len();
    assert_eq!(requests[0], "GetQueueAttributes");
    assert_eq!(requests[1..=rounds], item.repeat(19));
}

#[test]
fn tasks_share_the_items() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..30);
    let start = |_| Run::start(lab.queue().env("BATCH_SIZE", "30"));
    let runs: Vec<_> = (0..3).map(start).collect();

    let outcomes: Vec<_> = runs.into_iter().map(Run::wait).collect();

    for outcome in &outcomes {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(items_of(&outcome.stdout).len() > 1, "{outcome:?}");
    }
    lab.assert_complete("batch", 30);
    assert_eq!(lab.accepted("batch").len(), 30);
    assert!(lab.shared.sqs.is_empty());
}

#[test]
fn stopped_it_gives_its_item_back_at_once() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..2);
    lab.shared.sqs.set(3600, 1000);
    let run = Run::start(lab.queue().env("ITEM_SECONDS", "3600"));
    lab.wait_for_request("ReceiveMessage", 1);
    lab.within(async {
        while lab.shared.sqs.visible() == 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });

    let outcome = run.stop(Signal::TERM);

    assert_eq!(outcome.code, Some(143), "{outcome:?}");
    let last = ["Gave item 0 back to the queue", "Received SIGTERM: stopping before item 0"];
    assert_eq!(items_of(&outcome.stdout), last);
    assert_eq!(lab.shared.sqs.visible(), 2);
    assert!(lab.items("batch").is_empty());
}

#[test]
fn stopped_while_it_waits_it_takes_nothing_along() {
    let lab = Lab::new();
    lab.shared.sqs.send(r#"{"batch_id": "batch", "item_index": 0}"#, HOUR);
    let run = Run::start(lab.queue().env("ITEM_SECONDS", "20"));
    lab.wait_for_request("ReceiveMessage", 1);

    let outcome = run.stop(Signal::TERM);

    assert_eq!(outcome.code, Some(143), "{outcome:?}");
    assert_eq!(items_of(&outcome.stdout), ["Received SIGTERM: stopping, with no item in hand"]);
    assert_eq!(lab.shared.sqs.state.lock().unwrap().messages[0].receives, 0);
}

#[test]
fn one_question_may_wait_longer_than_other_requests_may_take() {
    let lab = Lab::new();
    lab.shared.sqs.send(r#"{"batch_id": "batch", "item_index": 0}"#, Duration::from_secs(6));
    let run = Run::start(lab.queue().env("ITEM_SECONDS", "20"));
    lab.within(async {
        while lab.shared.sqs.state.lock().unwrap().receives == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(lab.take_requests(), ["GetQueueAttributes", "ReceiveMessage"]);
    run.kill();
}

#[test]
fn stopped_while_it_writes_it_finishes_the_item() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..2);
    lab.hold_puts();
    let run = Run::start(lab.queue().env("ITEM_SECONDS", "0"));
    lab.wait_for_request("PutItem", 1);

    run.signal(Signal::TERM);
    thread::sleep(Duration::from_millis(100));
    lab.release_puts();
    let outcome = run.wait();

    assert_eq!(outcome.code, Some(143), "{outcome:?}");
    let last = "Received SIGTERM: stopping, with no item in hand";
    assert_eq!(items_of(&outcome.stdout), [put_line(0, 10).as_str(), last]);
    assert_eq!(lab.shared.sqs.visible(), 1);
}

#[test]
fn an_item_that_takes_long_stays_with_its_task() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..1);
    lab.shared.sqs.set(1, 1000);
    let start = |_| Run::start(lab.queue().env("ITEM_SECONDS", "2.5"));
    let runs: Vec<_> = (0..2).map(start).collect();

    for outcome in runs.into_iter().map(Run::wait) {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }

    lab.assert_complete("batch", 1);
    assert_eq!(lab.shared.sqs.state.lock().unwrap().receives, 1);
}

#[test]
fn an_item_of_a_killed_task_comes_back() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..1);
    // Longer than three looks at an empty queue take.
    lab.shared.sqs.set(6, 1000);
    let run = Run::start(lab.queue().env("ITEM_SECONDS", "3600"));
    lab.wait_for_request("ReceiveMessage", 1);
    lab.within(async {
        while lab.shared.sqs.visible() == 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    run.kill();

    // It waits for what the other task had in hand, and does not go before.
    let outcome = Run::start(&mut lab.queue()).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(items_of(&outcome.stdout), [&put_line(0, 10), EMPTY]);
    lab.assert_complete("batch", 1);
}

#[test]
fn killed_before_its_result_is_written_it_leaves_the_item_to_the_next_task() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..1);
    lab.shared.sqs.set(1, 1000);
    lab.hold_puts();
    let run = Run::start(lab.queue().env("BATCH_SIZE", "1"));
    lab.wait_for_request("PutItem", 1);
    run.kill();
    // Only when the killed task's request is long gone.
    let next = Run::start(lab.queue().env("BATCH_SIZE", "1"));
    lab.wait_for_request("ReceiveMessage", 2);
    lab.release_puts();
    assert_eq!(next.wait().code, Some(0));
    lab.assert_complete("batch", 1);
    assert!(lab.shared.sqs.is_empty());
}

#[test]
fn a_message_that_comes_twice_changes_nothing() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", [0, 1, 0]);
    let uri = lab.metadata_uri("0f3a9c5e");

    let outcome = Run::start(lab.queue().env("ECS_CONTAINER_METADATA_URI_V4", uri)).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let again = "Item 0 was written already, by task 0f3a9c5e";
    assert_eq!(items_of(&outcome.stdout), [put_line(0, 10).as_str(), &put_line(1, 10), again, EMPTY]);
    assert_eq!(lab.accepted("batch"), [0, 1]);
    assert!(lab.shared.sqs.is_empty());
}

#[test]
fn a_poisonous_item_ends_aside_and_the_others_are_done() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..5);
    lab.shared.sqs.set(30, 2);

    let outcome = Run::start(lab.queue().env("BATCH_SIZE", "5").env("POISON_ITEMS", "1")).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let failed = |line: &&String| *line == "Item 1 failed: it is one of POISON_ITEMS";
    assert_eq!(outcome.stdout.iter().filter(failed).count(), 2, "{outcome:?}");
    let mut written = lab.accepted("batch");
    written.sort_unstable();
    assert_eq!(written, [0, 2, 3, 4]);
    assert!(lab.shared.sqs.is_empty());
    assert_eq!(lab.shared.sqs.state.lock().unwrap().dead, [r#"{"batch_id":"batch","item_index":1}"#]);
}

#[test]
fn several_tasks_get_past_a_poisonous_item() {
    let lab = Lab::new();
    lab.shared.sqs.seed("batch", 0..40);
    lab.shared.sqs.set(30, 3);
    let start = |_| Run::start(lab.queue().env("BATCH_SIZE", "40").env("POISON_ITEMS", "7,21"));
    let runs: Vec<_> = (0..4).map(start).collect();

    let mut tries = 0;
    for outcome in runs.into_iter().map(Run::wait) {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        tries += outcome.stdout.iter().filter(|line| line.ends_with("failed: it is one of POISON_ITEMS")).count();
    }

    assert_eq!(tries, 2 * 3);
    let mut written = lab.accepted("batch");
    written.sort_unstable();
    assert_eq!(written, (0..40).filter(|index| ![7, 21].contains(index)).collect::<Vec<u64>>());
    let mut dead: Vec<u64> = lab.shared.sqs.state.lock().unwrap().dead.iter().map(|body| index_in(body)).collect();
    dead.sort_unstable();
    assert_eq!(dead, [7, 21]);
    assert!(lab.shared.sqs.is_empty());
}

fn index_in(body: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(body).unwrap()["item_index"].as_u64().unwrap()
}

#[test]
fn without_a_queue_nobody_gets_past_a_poisonous_item() {
    let lab = Lab::new();
    for start in ["Starting at 0", "Continuing at 1"] {
        let outcome = Run::start(lab.command(IMPROVED).env("POISON_ITEMS", "1")).wait();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert_eq!(outcome.stdout[1], start);
        assert_eq!(outcome.stderr, "Item 1 failed: it is one of POISON_ITEMS\n");
    }
}

#[test]
fn what_is_no_item_of_the_batch_is_left_for_a_person() {
    let lab = Lab::new();
    lab.shared.sqs.set(30, 1);
    let foreign = [
        "no JSON",
        r#"{"item_index":0}"#,
        r#"{"batch_id":"batch","item_index":-1}"#,
        r#"{"batch_id":"batch","item_index":10}"#,
        r#"{"batch_id":"another","item_index":0}"#,
    ];
    for body in foreign {
        lab.shared.sqs.send(body, Duration::ZERO);
    }
    lab.shared.sqs.seed("batch", [9]);

    let outcome = Run::start(&mut lab.queue()).wait();

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for (id, body) in foreign.iter().enumerate() {
        let line = format!("Message message-{id} is no item of batch batch: {body:?}");
        assert!(outcome.stdout.contains(&line), "{outcome:?}");
    }
    assert_eq!(lab.accepted("batch"), [9]);
    assert_eq!(lab.shared.sqs.state.lock().unwrap().dead, foreign);
}

#[test]
fn no_queue_is_said_before_anything_is_asked_of_aws() {
    let lab = Lab::new();
    let mut command = lab.queue();

    let outcome = Run::start(command.env_remove("QUEUE_URL")).wait();

    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.starts_with("QUEUE_URL is not set: expected "), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1);
    assert!(lab.take_requests().is_empty());

    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/other";
    let outcome = Run::start(command.env("QUEUE_URL", url)).wait();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        format!(
            "QueueDoesNotExist: The specified queue does not exist.\n  while reading the attributes of queue {url}\n"
        )
    );
}

#[test]
fn whoever_is_killed_whenever_every_item_is_written_once() {
    const SIZE: u64 = 60;
    let (lab, mut dice) = (Lab::new(), Dice::new());
    lab.shared.sqs.seed("batch", 0..SIZE);
    lab.shared.sqs.set(1, 1000);
    let start = || Run::start(lab.queue().env("BATCH_SIZE", SIZE.to_string()).env("ITEM_SECONDS", "0.01"));
    let mut runs: Vec<_> = (0..3).map(|_| start()).collect();
    for _ in 0..40 {
        // Every other time, all of them come to where the result is on its way: the worst moment for a kill.
        if dice.rng.random_bool(0.5) {
            lab.hold_puts();
        }
        thread::sleep(Duration::from_micros(dice.rng.random_range(0..60_000)));
        let victim = dice.rng.random_range(0..runs.len());
        let is_told = dice.rng.random_bool(0.5);
        let run = std::mem::replace(&mut runs[victim], start());
        if is_told {
            // It may be over by itself, or not yet listen.
            run.stop(Signal::TERM);
        } else {
            run.kill();
        }
        lab.release_puts();
    }
    for outcome in runs.into_iter().map(Run::wait) {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    lab.assert_complete("batch", SIZE);
    assert_eq!(lab.accepted("batch").len() as u64, SIZE);
    assert!(lab.shared.sqs.is_empty());
}
