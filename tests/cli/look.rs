//! What people look at while they work.

use crate::harness::{Running, Sandbox, until};

fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && !line.trim().is_empty(), "{line:?} in\n{text}");
    }
}

fn tasks(sandbox: &Sandbox, args: &[&str]) -> usize {
    sandbox.json(&[&["status"], args].concat())["tasks"].as_array().unwrap().len()
}

#[test]
fn a_name_that_was_meant_otherwise_is_refused_with_the_likely_one() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "seat-07"]);
    let commands: [&[&str]; 7] =
        [&["run", "original"], &["interrupt"], &["logs"], &["items"], &["clear"], &["status"], &["regenerate"]];
    for command in commands {
        let run = sandbox.run(&[command, &["--env", "seat-7"]].concat());
        assert_eq!(run.code, 1, "{command:?}: {run:?}");
        assert!(run.stderr.contains("hint: Did you mean `--env seat-07`?"), "{command:?}: {run:?}");
    }
    for command in [&["items"][..], &["status"]] {
        let run = sandbox.run(command);
        assert!(run.stderr.contains("`--env` chooses one that is set up: seat-07."), "{command:?}: {run:?}");
    }
    sandbox.ok(&["down", "--all"]);
}

#[test]
fn status_without_an_environment_says_how_to_set_one_up() {
    let sandbox = Sandbox::new();
    for args in [&["status"][..], &["status", "--all"]] {
        let run = sandbox.run(args);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains("hint: `fis-workshop up` sets it up."), "{run:?}");
    }
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn a_look_ends_the_endpoint_that_it_has_started() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["up"]);
    sandbox.ok(&["down"]);
    sandbox.ok(&["status"]);
    assert_eq!(sandbox.json(&["local", "status"])["running"], false);
}

#[test]
fn tasks_are_shown_by_the_word_for_run_and_those_of_an_earlier_environment_are_not() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = sandbox.run(&["logs", "improved"]);
    assert!(run.code == 1 && run.stderr.contains("No task of improved has run in this environment."), "{run:?}");
    for _ in 0..6 {
        sandbox.ok(&["run", "original", "--item-seconds", "0", "--batch-size", "2"]);
    }
    sandbox.ok(&["run", "improved", "--item-seconds", "0", "--batch-size", "3"]);
    let status = sandbox.ok(&["status"]);
    fits(&status);
    let shown: Vec<_> = status.lines().filter_map(|line| line.strip_prefix("  task ")).collect();
    assert_eq!(shown.len(), 5, "{status}");
    assert!(shown[0].ends_with(" improved STOPPED, exit code 0"), "{status}");
    assert!(shown[1].ends_with(" original STOPPED, exit code 0"), "{status}");
    assert!(status.contains("  and 2 more tasks that have stopped"), "{status}");
    assert_eq!(tasks(&sandbox, &["--all-tasks"]), 7);

    let log = sandbox.ok(&["logs", "improved"]);
    assert_eq!(sandbox.ok(&["logs"]), log);
    let id = shown[0].split(' ').next().unwrap();
    assert_eq!(sandbox.ok(&["logs", "--task", id]), log);
    let arn = sandbox.json(&["status"])["tasks"][0]["task_arn"].as_str().unwrap().to_owned();

    sandbox.ok(&["regenerate"]);
    assert_eq!(tasks(&sandbox, &["--all-tasks"]), 0);
    let run = sandbox.run(&["logs"]);
    assert!(run.code == 1 && run.stderr.contains("No task has run in this environment."), "{run:?}");
    let run = sandbox.run(&["logs", "--task", &arn]);
    assert!(run.code == 1 && !run.stderr.contains("fis-workshop status"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_run_tells_the_state_of_its_task_and_where_its_items_are() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "lab"]);
    let run = sandbox.run(&["run", "original", "--env", "lab", "--item-seconds", "0.25"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("The task is RUNNING.\n"), "{run:?}");
    assert!(run.stderr.contains("hint: `fis-workshop items --env lab` shows what is in the table"), "{run:?}");
    let items = sandbox.ok(&["items", "--env", "lab"]);
    fits(&items);
    assert_eq!(items.lines().count(), 12, "{items}");
    sandbox.ok(&["down", "--env", "lab"]);
}

#[test]
fn an_index_that_is_never_written_is_refused_and_a_wait_that_is_broken_off_has_started_nothing() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = sandbox.run(&["interrupt"]);
    assert!(run.stderr.contains("`fis-workshop run original` (or another variant) starts a task"), "{run:?}");
    sandbox.ok(&["run", "original", "--detach", "--batch-size", "3"]);
    let run = sandbox.run(&["interrupt", "--at-index", "3"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("the last index of the batch is 2."), "{run:?}");

    let second = sandbox.run(&["run", "original"]);
    assert!(second.stderr.contains("`fis-workshop logs original --follow` follows it"), "{second:?}");
    let interrupt = Running::start(&sandbox, &["interrupt", "--at-index", "1"]);
    interrupt.wait_for("Waiting until index 1 is written.");
    interrupt.signal("INT");
    let interrupt = interrupt.end();
    assert_eq!(interrupt.code, 130, "{interrupt:?}");
    assert!(interrupt.stderr.contains("hint: Nothing was started."), "{interrupt:?}");

    until("the task runs", || sandbox.json(&["status"])["tasks"][0]["last_status"] == "RUNNING");
    let run = sandbox.run(&["interrupt"]);
    assert_eq!(run.code, 0, "{run:?}");
    let output = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(output.matches(" completed.").count(), 1, "{output}");
    assert!(sandbox.json(&["status"])["experiments"][0].get("ended_at").is_none());
    sandbox.ok(&["down"]);
}

/// A script that counts must not meet another shape at 1, and one that fails gets a document, too.
#[test]
fn machines_get_one_shape_and_a_document_in_any_case() {
    let sandbox = Sandbox::with_endpoint();
    let up = sandbox.json(&["up", "--count", "1"]);
    assert_eq!(up["environments"][0]["environment"], "seat-01", "{up}");
    let status = sandbox.json(&["status", "--count", "1"]);
    assert_eq!(status["environments"][0]["environment"], "seat-01", "{status}");
    assert_eq!(sandbox.json(&["up", "--env", "seat-01"])["environment"], "seat-01");
    let run = sandbox.run(&["items", "--env", "nobody", "--output", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        document["error"]["message"],
        "The environment nobody is not set up: there is no stack FisStopTaskStack-nobody."
    );
    assert_eq!(sandbox.run(&["items", "--env", "nobody"]).stdout, "");
}
