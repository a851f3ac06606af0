//! SIGTERM, as `ecs:StopTask` sends it, and SIGINT.

use std::{thread, time::Duration};

use rustix::process::Signal;

use crate::lab::{IMPROVED, Lab, ORIGINAL, Run, put_line};

/// Longer than a test waits for the end of a process.
const HOUR: &str = "3600";

#[test]
fn while_working_it_stops_before_the_item() {
    for (program, signal, name, code, next) in [
        (ORIGINAL, Signal::TERM, "SIGTERM", 143, 0),
        (IMPROVED, Signal::TERM, "SIGTERM", 143, 2),
        (IMPROVED, Signal::INT, "SIGINT", 130, 2),
    ] {
        let lab = Lab::new();
        Run::start(lab.command(program).env("BATCH_SIZE", "2")).wait();
        let mut run = Run::start(lab.command(program).env("ITEM_SECONDS", HOUR));
        let first_line = ["Starting", "Continuing"][usize::from(next > 0)];
        run.wait_for(&format!("{first_line} at {next}"));

        let outcome = run.stop(signal);

        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        let last = outcome.stdout.last().unwrap();
        assert_eq!(*last, format!("Received {name}: stopping before item {next}"));
        assert_eq!(outcome.stderr, "");
        assert_eq!(lab.accepted("batch"), [0, 1]);
    }
}

#[test]
fn a_write_in_flight_is_finished() {
    let lab = Lab::new();
    lab.hold_puts();
    let run = Run::start(lab.command(IMPROVED).env("ITEM_SECONDS", "0.3"));
    lab.wait_for_request("PutItem", 1);

    run.signal(Signal::TERM);
    // An answer that takes a while, but less than the job waits for it.
    thread::sleep(Duration::from_millis(100));
    lab.release_puts();
    let outcome = run.wait();

    assert_eq!(outcome.code, Some(143), "{outcome:?}");
    let stopping = "Received SIGTERM: stopping before item 1".to_owned();
    assert_eq!(outcome.stdout[2..], [put_line(0, 10), stopping]);
    assert_eq!(lab.accepted("batch"), [0]);
}

#[test]
fn a_write_without_an_answer_is_abandoned() {
    for program in [ORIGINAL, IMPROVED] {
        let lab = Lab::new();
        lab.hold_puts();
        let run = Run::start(&mut lab.command(program));
        lab.wait_for_request("PutItem", 1);

        // The answer never comes: it does not wait for it.
        let outcome = run.stop(Signal::TERM);

        assert_eq!(outcome.code, Some(143), "{outcome:?}");
        assert_eq!(
            outcome.stdout.last().unwrap(),
            "Received SIGTERM: stopping, without the answer to the request in flight"
        );
        assert!(lab.items("batch").is_empty());
    }
}
