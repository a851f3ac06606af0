//! The chapter, with the real binary, the real workers and the real templates.

use serde_json::{Value, json};

use crate::harness::{Running, Sandbox, until};

/// Types of a JSON document, in which values are none of our business.
pub(crate) fn schema(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => json!(items.first().map(schema).into_iter().collect::<Vec<_>>()),
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), schema(value))).collect(),
    }
}

#[test]
fn the_lab_passes_and_leaves_nothing() {
    let sandbox = Sandbox::with_endpoint();
    let report = sandbox.json(&["lab", "--item-seconds", "0.25"]);
    insta::assert_json_snapshot!("lab_schema", schema(&report));
    assert_eq!(report["verdict"], "pass");
    let [original, improved] = [&report["variants"][0], &report["variants"][1]];
    let interrupted = |variant: &Value| variant["interrupted_at_index"].as_u64().unwrap();
    assert_eq!(original["resumed_at_index"], 0);
    assert_eq!(original["items_redone"], interrupted(original) + 1);
    assert_eq!(improved["resumed_at_index"], interrupted(improved) + 1);
    assert_eq!(improved["items_redone"], 0);
    for variant in [original, improved] {
        assert!(interrupted(variant) >= 4);
        assert_eq!((&variant["items"], &variant["complete"]), (&json!(10), &json!(true)));
        assert_eq!(variant["tasks"][0]["stop_code"], "UserInitiated");
        assert_eq!(variant["tasks"][0]["exit_code"], 143);
        let experiment = variant["experiments"][0].as_str().unwrap();
        assert!(variant["tasks"][0]["stopped_reason"].as_str().unwrap().contains(experiment));
    }
    assert_eq!(report["deleted_stacks"], json!(["FisStopTaskStack-lab", "FisStackVpc"]));
    assert_eq!(report["survivors"], json!([]));
    let status = sandbox.json(&["status", "--env", "lab"]);
    assert!(status["stacks"].as_array().unwrap().iter().all(|stack| stack["status"].is_null()), "{status}");
}

#[test]
fn the_chapter_command_by_command() {
    let sandbox = Sandbox::with_endpoint();
    let plan = sandbox.json(&["plan"]);
    assert_eq!((&plan["changes"], &plan["stacks"][0]["action"]), (&json!(true), &json!("create")));
    let up = sandbox.json(&["up"]);
    assert_eq!(up["changed"], true);
    insta::assert_json_snapshot!("up_schema", schema(&up));
    assert_eq!(sandbox.json(&["up"])["changed"], false);
    assert_eq!(sandbox.json(&["plan"])["changes"], false);

    let arn = sandbox.ok(&["run", "original", "--detach", "--item-seconds", "0.05"]);
    let second = sandbox.run(&["run", "original"]);
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains("--force"), "{}", second.stderr);
    let interruption = sandbox.json(&["interrupt", "--at-index", "2"]);
    insta::assert_json_snapshot!("interrupt_schema", schema(&interruption));
    assert_eq!(interruption["tasks"][0]["task_arn"], arn.trim());
    assert_eq!(interruption["tasks"][0]["exit_code"], 143);
    let at = interruption["tasks"][0]["interrupted_at_index"].as_u64().unwrap();

    let items = sandbox.json(&["items"]);
    insta::assert_json_snapshot!("items_schema", schema(&items));
    assert_eq!(items["items"].as_array().unwrap().len() as u64, at + 1);
    assert_eq!(items["missing"].as_array().unwrap().len() as u64, 9 - at);

    assert_eq!(items["rewritten"], json!([]));

    let run = sandbox.run(&["run", "improved", "--item-seconds", "0.01"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains(&format!("Continuing at {}\n", at + 1)), "{}", run.stdout);
    assert!(run.stdout.ends_with("Successfully PUT item 9 out of 10 into DDB\n"), "{}", run.stdout);
    assert_eq!(sandbox.ok(&["logs", "improved"]), run.stdout);
    let status = sandbox.json(&["status"]);
    insta::assert_json_snapshot!("status_schema", schema(&status));
    sandbox.ok(&["run", "original", "--item-seconds", "0", "--batch-size", "3"]);
    assert_eq!(sandbox.json(&["items"])["rewritten"], json!([0, 1, 2]));
    assert_eq!(sandbox.json(&["clear"])["deleted"], 10);
    sandbox.ok(&["run", "original", "--item-seconds", "0", "--batch-size", "3"]);
    let items = sandbox.json(&["items"]);
    assert_eq!((&items["rewritten"], &items["missing"]), (&json!([]), &json!([3, 4, 5, 6, 7, 8, 9])));

    let down = sandbox.json(&["down"]);
    insta::assert_json_snapshot!("down_schema", schema(&down));
    assert_eq!(down["deleted_stacks"], json!(["FisStopTaskStack", "FisStackVpc"]));
    assert_eq!(sandbox.json(&["down"])["deleted_stacks"], json!([]));
}

#[test]
fn ups_at_the_same_time_all_succeed() {
    let sandbox = Sandbox::with_endpoint();
    let ups: Vec<_> =
        (0..4).map(|_| sandbox.command(&["up"]).stderr(std::process::Stdio::piped()).spawn().unwrap()).collect();
    for up in ups {
        let output = up.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(sandbox.json(&["up"])["changed"], false);
    sandbox.ok(&["down"]);
}

fn waits_for_a_task(sandbox: &Sandbox) {
    until("there is a task", || !sandbox.json(&["status"])["tasks"].as_array().unwrap().is_empty());
}

#[test]
fn ctrl_c_leaves_the_task_and_says_how_to_go_on() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = Running::start(&sandbox, &["run", "original"]);
    waits_for_a_task(&sandbox);
    run.signal("INT");
    let run = run.end();
    assert_eq!(run.code, 130, "{run:?}");
    assert!(run.stderr.contains("fis-workshop logs original --follow"), "{run:?}");
    assert_eq!(sandbox.json(&["status"])["tasks"][0]["desired_status"], "RUNNING");
    sandbox.ok(&["down"]);
}

#[test]
fn the_exit_code_of_run_is_that_of_the_task() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = Running::start(&sandbox, &["run", "original", "--item-seconds", "0.2"]);
    waits_for_a_task(&sandbox);
    sandbox.ok(&["interrupt", "--at-index", "0"]);
    let run = run.end();
    assert_eq!(run.code, 143, "{run:?}");
    assert!(run.stderr.contains("The experiment stopped it."), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn an_experiment_that_would_hit_nothing_is_refused_with_the_reason() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    insta::assert_snapshot!("interrupt_without_task", sandbox.transcript(&["interrupt"]));
}

#[test]
fn down_stops_what_runs_and_another_environment_keeps_the_network() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["up", "--env", "other"]);
    let arn = sandbox.ok(&["run", "original", "--detach"]);
    let down = sandbox.json(&["down"]);
    assert_eq!(down["stopped_tasks"], json!([arn.trim()]));
    assert_eq!(down["deleted_stacks"], json!(["FisStopTaskStack"]));
    assert_eq!(down["remaining_environments"], json!(["other"]));
    let down = sandbox.json(&["down", "--env", "other"]);
    assert_eq!(down["deleted_stacks"], json!(["FisStopTaskStack-other", "FisStackVpc"]));
}

#[test]
fn progress_off_a_terminal_is_plain_lines() {
    let sandbox = Sandbox::with_endpoint();
    let run = sandbox.run(&["up"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    // Independent resources are made at the same time, so only the set of lines is the same each time.
    let mut lines: Vec<_> = run.stderr.lines().collect();
    lines.sort_unstable();
    insta::assert_snapshot!("up_progress", lines.join("\n"));
    sandbox.ok(&["down"]);
}

#[test]
fn progress_says_how_long_it_still_takes_where_it_takes_long() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["local", "start", "--port", "0", "--latency", "aws", "--speed", "20"]);
    let run = sandbox.run(&["up"]);
    assert_eq!(run.code, 0, "{run:?}");
    let foretold =
        |line: &&str| line.contains(" CREATE_COMPLETE ") && line.contains("; about ") && line.ends_with(" left");
    assert!(run.stderr.lines().any(|line| foretold(&line)), "{run:?}");
    let last = run.stderr.lines().find(|line| line.contains("FisStackVpc FisStackVpc CREATE_COMPLETE")).unwrap();
    assert!(!last.contains(" left"), "{run:?}");
    sandbox.ok(&["local", "reset"]);
}

#[test]
fn an_endpoint_that_a_command_has_started_ends_with_the_last_stack() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["up"]);
    assert_eq!(sandbox.json(&["local", "status"])["running"], true);
    sandbox.ok(&["down"]);
    assert_eq!(sandbox.json(&["local", "status"])["running"], false);
}
