//! `prove`: what each variant survives, as a newcomer sees it.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Run, Running, Sandbox, until};
use crate::workers::{javascript, line, mistake, python, rust};

/// What is the same in every run.
fn counts(proof: &Value) -> Value {
    let rows = proof["invariants"].as_array().unwrap().iter();
    let broken: Vec<_> = rows.map(|row| format!("{}: {}", row["invariant"].as_str().unwrap(), row["broken"])).collect();
    json!({
        "verdict": proof["verdict"],
        "requests": proof["requests"],
        "kills": proof["kills"],
        "schedules": proof["schedules"],
        "broken": broken,
        "diverged": proof["diverged"],
        "unexplored": proof["unexplored"],
    })
}

/// The counts of a queue's schedules are those of its requests, which depend on how long messages stay away.
#[test]
fn queue_loses_and_doubles_no_item() {
    let report = Sandbox::new().json(&["prove", "queue", "--batch-size", "2"]);
    let proof = &report["variants"][0];
    assert_eq!(proof["kills"].as_u64().unwrap(), 3 * proof["requests"].as_array().unwrap().len() as u64, "{proof}");
    assert!(proof["verdict"] == "pass" && proof["unexplored"] == 0, "{proof}");
}

fn proved(variant: &str, size: &str) -> Value {
    let run = Sandbox::new().run(&["prove", variant, "--batch-size", size, "--output", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    counts(&report["variants"][0])
}

#[test]
fn improved_survives_every_kill() {
    insta::assert_json_snapshot!(proved("improved", "3"));
}

#[test]
fn watchdog_starts_one_task_whatever_it_hears() {
    insta::assert_json_snapshot!(proved("watchdog", "2"));
}

fn without_times(run: &Run) -> String {
    let words = |line: &str| match line.rsplit_once(", ") {
        Some((start, last)) if last.ends_with(" s") && line.contains(" kills, ") => format!("{start}, [TIME]"),
        _ => line.to_owned(),
    };
    run.stdout.lines().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_story_of_the_shortest_run_that_breaks_something_is_told() {
    let run = Sandbox::new().run(&["prove", "original", "--batch-size", "4"]);
    assert_eq!(run.code, 0, "{run:?}");
    insta::assert_snapshot!(without_times(&run));
}

#[test]
fn a_schedule_is_played_again_step_by_step() {
    let sandbox = Sandbox::new();
    for schedule in [
        "improved/put:1/after-effect/put:2/before-effect",
        "improved/two-copies/put:4/put:6",
        "watchdog/put:3/after-effect/event-late",
        "queue/receive-message#2/after-answer",
    ] {
        let run = sandbox.run(&["prove", "--schedule", schedule]);
        assert_eq!(run.code, 0, "{run:?}");
        insta::assert_snapshot!(schedule.replace(['/', ':', '#'], "-"), without_ids(&run.stdout));
    }
}

/// Ids of tasks are 32 digits.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = |line: &str| {
        line.split(' ').map(|word| if is_id(word) { "[TASK]" } else { word }).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_cannot_be_proved_is_refused_with_what_could() {
    let sandbox = Sandbox::new();
    let refused = |args: &[&str], hint: &str| {
        let run = sandbox.run(&[&["prove"], args].concat());
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(hint), "{run:?}");
    };
    refused(&["--target", "aws"], "Leave `--target aws` out");
    refused(&["--schedule", "nonsense/put:1/after-effect"], "begins with no variant");
    refused(&["--schedule", "improved/put:77/after-effect"], "From improved follow improved/query#1/before-effect to ");
    refused(&["improved", "--schedule", "improved/put:1/after-effect"], "cannot be used with");
}

#[test]
fn a_budget_ends_it_and_says_what_is_left() {
    let report = Sandbox::new().json(&["prove", "improved", "--depth", "2", "--budget", "1"]);
    let proof = &report["variants"][0];
    assert!(proof["unexplored"].as_u64().unwrap() > 0 && proof["verdict"] == "pass", "{proof}");
}

/// `prove` of a worker of one's own, on two items.
fn prove_own(command: &[String]) -> Run {
    Sandbox::new().run(&["prove", "--worker", &line(command), "--batch-size", "2"])
}

/// In each of its languages.
#[test]
fn a_worker_written_from_the_page_survives_every_kill() {
    for command in [&python()[..], &javascript(), &rust()] {
        let run = prove_own(command);
        assert_eq!(run.code, 0, "{command:?}: {run:?}");
        assert!(run.stdout.starts_with("own: 3 requests, 9 kills, "), "{command:?}: {run:?}");
        assert!(run.stdout.contains("Exhaustive") && !run.stdout.contains("Not as before"), "{command:?}: {run:?}");
        assert!(run.stderr.contains("Your worker runs as you, on this machine"), "{command:?}: {run:?}");
    }
}

#[test]
fn a_checkpoint_before_its_item_is_caught_with_the_run_that_loses_the_item() {
    let run = prove_own(&mistake("checkpoint_first"));
    assert_eq!(run.code, 3, "{run:?}");
    for part in [
        "  The shortest run that breaks it is own/put-item#1/after-effect:\n",
        "      put-item#1         done; killed before it was told\n    task 2, started by hand: the table is empty\n",
        "    Missing at the end: 0.\n    `fis-workshop prove --schedule own/put-item#1/after-effect --worker ",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn an_index_that_is_kept_elsewhere_is_caught() {
    let run = prove_own(&mistake("cached_index"));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("Missing at the end: 0, 1.") && run.stdout.contains("Not as before"), "{run:?}");
}

#[test]
fn a_write_without_condition_is_caught_by_two_copies() {
    let run = prove_own(&mistake("no_condition"));
    assert_eq!(run.code, 3, "{run:?}");
    let story = "Task 2 had taken over, and then task 1 wrote item 0.";
    assert!(run.stdout.contains("own/two-copies/put:0") && run.stdout.contains(story), "{run:?}");
}

#[test]
fn a_worker_that_makes_no_request_of_its_task_gets_a_clear_verdict() {
    let sandbox = Sandbox::new();
    let verdict = |worker: &str, says: &str| {
        let run = sandbox.run(&["prove", "--worker", worker]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stdout.contains(says) && run.stdout.contains("It has made no request"), "{says}: {run:?}");
        assert!(!run.stdout.contains("Exhaustive"), "{run:?}");
    };
    verdict("/bin/true", "task 1 ended well without a single request");
    let own_credentials = [&["/usr/bin/env".to_owned(), "AWS_ACCESS_KEY_ID=AKIA".to_owned()], &python()[..]].concat();
    verdict(&line(&own_credentials), "ended with exit code 1");
    verdict("/bin/sh -c 'head -c 3000 /dev/urandom; exit 7'", "ended with exit code 7");
    verdict("/bin/sh -c 'sleep 600 & sleep 600'", "hangs: it makes no more requests, and does not end");
    until("what it has started is gone", || processes(&sandbox).is_empty());
}

/// Processes that have the sandbox's path in their command line.
fn processes(sandbox: &Sandbox) -> String {
    let path = sandbox.path().display().to_string();
    let output = Command::new("pgrep").args(["-f", "-a", &path]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn interrupted_it_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let prove = Running::start(&sandbox, &["prove", "improved", "--depth", "2"]);
    // In the middle of it: tasks run.
    until("a task of prove runs", || processes(&sandbox).contains("/tasks/"));
    prove.signal("INT");
    let run = prove.end();
    assert_eq!(run.code, 130, "{run:?}");
    assert!(run.stderr.contains("are gone"), "{run:?}");
    until("its tasks are gone", || processes(&sandbox).is_empty());
    let left = std::fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("prove")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn killed_it_takes_its_tasks_along() {
    let sandbox = Sandbox::new();
    let prove = Running::start(&sandbox, &["prove", "improved", "--depth", "2"]);
    until("a task of prove runs", || processes(&sandbox).contains("/tasks/"));
    prove.signal("KILL");
    prove.end();
    until("its tasks are gone", || processes(&sandbox).is_empty());
}
