//! `interrupt --signal kill`: SIGTERM is a courtesy, and this is what becomes of a worker without it.

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::harness::{Running, Sandbox, until};

fn set_up() -> Sandbox {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox
}

fn items(sandbox: &Sandbox) -> Vec<u64> {
    let items = sandbox.json(&["items"])["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["item_index"].as_u64().unwrap()).collect()
}

#[test]
fn a_killed_worker_says_nothing_and_loses_the_item_in_the_making() {
    let sandbox = set_up();
    sandbox.ok(&["run", "improved", "--detach", "--item-seconds", "1"]);
    let killed = sandbox.json(&["interrupt", "--signal", "kill", "--at-index", "1"]);
    let task = &killed["tasks"][0];
    assert_eq!((&task["exit_code"], &task["stop_code"]), (&json!(137), &json!("EssentialContainerExited")));
    assert_eq!(killed["experiment"]["status"], "completed");
    let last = task["interrupted_at_index"].as_u64().unwrap();
    assert_eq!(items(&sandbox), (0..=last).collect::<Vec<_>>());
    let log = sandbox.ok(&["logs", "improved"]);
    assert!(!log.contains("SIGTERM"), "{log}");
    assert!(log.ends_with(&format!("Successfully PUT item {last} out of 10 into DDB\n")), "{log}");

    // The same fault with the courtesy, to compare.
    sandbox.ok(&["run", "improved", "--detach", "--item-seconds", "1"]);
    sandbox.ok(&["interrupt", "--at-index", &(last + 1).to_string()]);
    assert!(sandbox.ok(&["logs", "improved"]).contains("Received SIGTERM"));

    let experiments = sandbox.json(&["status"])["experiments"].as_array().unwrap().clone();
    assert!(experiments.iter().any(|it| it["experiment_id"] == killed["experiment"]["experiment_id"]));
    let run = sandbox.run(&["run", "improved", "--item-seconds", "0"]);
    assert!(run.code == 0 && run.stdout.contains("Continuing at "), "{run:?}");
    assert_eq!(sandbox.json(&["items"])["rewritten"], json!([]));
    assert_eq!(items(&sandbox), (0..10).collect::<Vec<_>>());
}

#[test]
fn whoever_follows_the_task_is_told_that_it_was_killed() {
    let sandbox = set_up();
    let run = Running::start(&sandbox, &["run", "original", "--item-seconds", "1"]);
    run.wait_for("Starting at 0");
    let text = sandbox.ok(&["interrupt", "--signal", "kill"]);
    assert!(text.contains("(exit code 137): Essential container in task exited."), "{text}");
    let run = run.end();
    assert!(run.code == 137 && run.stderr.contains("It was killed without a word."), "{run:?}");
    assert!(!run.stdout.contains("SIGTERM"), "{run:?}");
}

#[test]
fn one_of_several_keeps_its_message_to_itself() {
    let sandbox = set_up();
    sandbox.ok(&["run", "queue", "--detach", "--count", "3", "--item-seconds", "1", "--batch-size", "100"]);
    let tasks = || sandbox.json(&["status"])["tasks"].as_array().unwrap().clone();
    let running = |tasks: &[Value]| tasks.iter().filter(|task| task["last_status"] == "RUNNING").count();
    until("all run", || running(&tasks()) == 3);
    let killed = sandbox.json(&["interrupt", "--signal", "kill", "--one"]);
    let hit = killed["tasks"].as_array().unwrap();
    assert_eq!((hit.len(), &hit[0]["exit_code"]), (1, &json!(137)));
    let tasks = tasks();
    assert_eq!(running(&tasks), 2, "{tasks:?}");
    let killed = tasks.iter().find(|task| task["exit_code"] == 137).unwrap();
    assert_eq!(killed["task_arn"], hit[0]["task_arn"]);
    // Two are in the hands of those that are at work, and one is nobody's until its visibility timeout is over.
    until("three messages are in work", || sandbox.json(&["status"])["queue"]["in_work"] == 3);
}

#[test]
fn the_watchdog_restarts_a_worker_that_was_killed() {
    let sandbox = set_up();
    sandbox.ok(&["run", "watchdog", "--detach", "--item-seconds", "1"]);
    let killed = sandbox.json(&["interrupt", "--signal", "kill", "--at-index", "0"]);
    assert_eq!(killed["tasks"][0]["exit_code"], 137);
    let next = killed["tasks"][0]["interrupted_at_index"].as_u64().unwrap() + 1;
    let going_on = format!("Continuing at {next}\n");
    until("it goes on", || sandbox.run(&["logs", "watchdog"]).stdout.contains(&going_on));
}

/// As on AWS, whose accounts have other numbers than the endpoint's.
#[test]
fn where_the_template_lacks_the_agent_it_is_refused_by_name() {
    let sandbox = set_up();
    let template = sandbox.ok(&["render", "workshop"]).replace(r#""000000000000""#, r#""123456789012""#);
    let mut boto = Boto::start(sandbox.variables());
    let stack = json!({"StackName": "FisStopTaskStack"});
    let mut described = boto.call("cloudformation", "DescribeStacks", &stack).unwrap();
    let parameters: Vec<_> = described["Stacks"][0]["Parameters"]
        .take()
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| json!({"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": true}))
        .collect();
    let update = json!({"StackName": "FisStopTaskStack", "TemplateBody": template, "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM"]});
    boto.call("cloudformation", "UpdateStack", &update).unwrap();
    let mut describe = || boto.call("cloudformation", "DescribeStacks", &stack).unwrap()["Stacks"][0].take();
    until("the stack is updated", || describe()["StackStatus"] == "UPDATE_COMPLETE");

    for options in [&[][..], &["--one"], &["--dry-run"]] {
        let run = sandbox.run(&[&["interrupt", "--signal", "kill"], options].concat());
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains("error: The environment default has no experiment that kills"), "{run:?}");
        assert!(run.stderr.contains("its template lacks the SSM agent"), "{run:?}");
        assert!(run.stderr.contains("cause: on AWS, aws:ecs:task-kill-process"), "{run:?}");
    }
    // Nobody has deleted anything.
    assert_eq!(sandbox.json(&["status"])["problem"], Value::Null);
}
