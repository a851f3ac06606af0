//! Faults in an environment that is set up: what only reads says the same, and what acts acts once.

use serde_json::Value;

use super::{ALL, Line, PASSING, side_by_side};
use crate::harness::until;
use crate::wire::Fault;

const READING: &[&[&str]] = &[
    &["status", "--output", "json"],
    &["items", "--output", "json"],
    &["logs", "original"],
    &["plan", "--output", "json"],
    &["up", "--output", "json"],
];

/// `up` looks at the region and FIS before it begins; that it may not or cannot is no reason not to begin.
const PREFLIGHT: [&str; 2] = ["ec2:DescribeAvailabilityZones", "fis:GetAction"];

#[test]
fn what_reads_says_the_same_or_why_it_cannot() {
    side_by_side(&ALL, |fault| {
        let line = Line::new();
        line.sandbox.ok(&["up"]);
        line.sandbox.ok(&["run", "original", "--item-seconds", "0", "--batch-size", "3"]);
        for args in READING {
            let operations = line.operations(args).into_iter();
            for operation in operations.filter(|operation| !PREFLIGHT.contains(&operation.as_str())) {
                let stayed = line.always(fault, &operation, args);
                assert_eq!(stayed.code, 1, "{fault:?} on {operation}: {args:?}: {stayed:?}");
                if args.contains(&"json") {
                    let document: Value = serde_json::from_str(&stayed.stdout).unwrap();
                    assert!(document["error"]["message"].is_string(), "{operation}: {args:?}: {stayed:?}");
                } else {
                    assert_eq!(stayed.stdout, "", "{operation}: {args:?}");
                }
                if PASSING.contains(&fault) {
                    let usual = line.command(args).output().unwrap().stdout;
                    let passed = line.once(fault, &operation, args);
                    assert_eq!(passed.stdout.as_bytes(), usual, "{operation}: {args:?}");
                }
            }
        }
    });
}

#[test]
fn what_acts_acts_once() {
    side_by_side(&ALL, |fault| {
        let line = Line::new();
        line.sandbox.ok(&["up"]);
        let run = ["run", "original", "--detach"];
        let interrupt = ["interrupt"];
        let of_run = line.operations(&run);
        let of_interrupt = line.operations(&interrupt);
        for operation in of_run.union(&of_interrupt) {
            if of_run.contains(operation) {
                acts_once(&line, fault, operation, &run);
            } else {
                line.sandbox.ok(&run);
            }
            if of_interrupt.contains(operation) {
                interrupts_once(&line, fault, operation, &interrupt);
            } else {
                line.sandbox.ok(&interrupt);
            }
            assert_eq!(active(&line), 0, "{fault:?} on {operation}");
        }
        clears(&line, fault);
        follows(&line, fault);
    });
}

/// One task runs afterwards, however often its start was asked for.
fn acts_once(line: &Line, fault: Fault, operation: &str, run: &[&str]) {
    let stayed = line.always(fault, operation, run);
    // Nobody heard of the task, and it runs: the next `run` says so.
    let unheard = fault == Fault::ResetAfter && operation == "ecs:RunTask";
    assert_eq!((stayed.code, active(line)), (1, usize::from(unheard)), "{fault:?} on {operation}: {stayed:?}");
    if unheard {
        let refused = line.sandbox.run(run);
        assert!(refused.stderr.contains("runs in this environment already"), "{refused:?}");
        line.sandbox.ok(&["interrupt"]);
    }
    if PASSING.contains(&fault) {
        line.once(fault, operation, run);
    } else {
        line.sandbox.ok(run);
    }
    assert_eq!(active(line), 1, "{fault:?} on {operation}");
}

/// One experiment more is there afterwards, and no task runs.
fn interrupts_once(line: &Line, fault: Fault, operation: &str, interrupt: &[&str]) {
    let before = experiments(line);
    let stayed = line.always(fault, operation, interrupt);
    assert_eq!(stayed.code, 1, "{fault:?} on {operation}: {stayed:?}");
    let started = experiments(line) - before;
    assert!(started <= 1, "{fault:?} on {operation}: {started} experiments");
    if started == 1 {
        // It goes on without us.
        until("the experiment stops the task", || active(line) == 0);
        line.sandbox.ok(&["run", "original", "--detach"]);
    }
    let before = experiments(line);
    if PASSING.contains(&fault) {
        line.once(fault, operation, interrupt);
    } else {
        line.sandbox.ok(interrupt);
    }
    assert_eq!(experiments(line) - before, 1, "{fault:?} on {operation}");
}

fn clears(line: &Line, fault: Fault) {
    let two = ["run", "original", "--item-seconds", "0", "--batch-size", "2"];
    line.sandbox.ok(&two);
    for operation in line.operations(&["clear"]) {
        line.sandbox.ok(&two);
        line.always(fault, &operation, &["clear"]);
        if PASSING.contains(&fault) {
            line.once(fault, &operation, &["clear"]);
        } else {
            line.sandbox.ok(&["clear"]);
        }
        let items = line.sandbox.json(&["items"]);
        assert_eq!(items["items"], Value::Array(Vec::new()), "{fault:?} on {operation}");
    }
}

/// The whole log, each line once.
fn follows(line: &Line, fault: Fault) {
    let run = ["run", "improved", "--item-seconds", "0", "--batch-size", "3"];
    for operation in line.operations(&run) {
        line.sandbox.ok(&["clear"]);
        let stayed = line.always(fault, &operation, &run);
        assert_eq!(stayed.code, 1, "{fault:?} on {operation}: {stayed:?}");
        until("no task runs", || active(line) == 0);
        line.sandbox.ok(&["clear"]);
        if PASSING.contains(&fault) {
            let passed = line.once(fault, &operation, &run);
            let lines: Vec<_> = passed.stdout.lines().collect();
            assert_eq!(lines[..2], ["Starting batch job", "Starting at 0"], "{fault:?} on {operation}");
            assert_eq!(lines.len(), 5, "{fault:?} on {operation}: {passed:?}");
        }
    }
}

/// How many tasks shall run.
fn active(line: &Line) -> usize {
    let status = line.sandbox.json(&["status"]);
    let running = |task: &&Value| task["desired_status"] == "RUNNING";
    status["tasks"].as_array().unwrap().iter().filter(running).count()
}

fn experiments(line: &Line) -> usize {
    line.sandbox.json(&["status"])["experiments"].as_array().unwrap().len()
}
