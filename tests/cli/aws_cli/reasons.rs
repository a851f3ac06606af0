//! What somebody has broken with the AWS CLI, and how the deployer puts it.

use super::Terminal;
use crate::harness::Sandbox;

fn set_up(sandbox: &Sandbox) -> Terminal<'_> {
    sandbox.ok(&["up"]);
    Terminal::of(sandbox)
}

#[test]
fn a_log_group_that_was_deleted_is_named_with_the_remedy() {
    let sandbox = Sandbox::with_endpoint();
    let terminal = set_up(&sandbox);
    let group = terminal.outputs("FisStopTaskStack")["OriginalLogGroupName"].clone();
    terminal.ok(&format!("aws logs delete-log-group --log-group-name {group}"));
    let run = sandbox.run(&["run", "original"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("cause: ResourceNotFoundException: The specified log group does not exist."),
        "{run:?}"
    );
    assert!(run.stderr.contains("hint: The log group is gone"), "{run:?}");
    // The task does not start either, and the lab tells why in words.
    let run = sandbox.run(&["interrupt", "--at-index", "0"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(!run.stderr.contains("panicked"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_task_that_somebody_stops_is_told_as_such() {
    let sandbox = Sandbox::with_endpoint();
    let terminal = set_up(&sandbox);
    let run = sandbox.command(&["run", "original"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let cluster = "--cluster FisStackECS-Cluster";
    let arn = terminal
        .until(&format!("ecs list-tasks {cluster}"), |answer| answer["taskArns"][0].as_str().map(str::to_owned));
    // Its log has begun, so the program runs.
    let stream = |answer: &serde_json::Value| answer["logStreams"][0]["lastEventTimestamp"].as_i64();
    let group = terminal.outputs("FisStopTaskStack")["OriginalLogGroupName"].clone();
    terminal.until(&format!("logs describe-log-streams --log-group-name {group}"), stream);
    terminal.aws(&format!("ecs stop-task {cluster} --task {arn}"));
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let told = "The task ended with exit code 143: Task stopped by user. It was asked to stop, and stopped in order (SIGTERM).\n";
    assert!(stderr.contains(told), "{stderr}");
    assert!(stderr.contains("hint: Run it again when it should go on."), "{stderr}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_task_without_a_network_is_refused_with_the_remedy() {
    let sandbox = Sandbox::with_endpoint();
    let terminal = set_up(&sandbox);
    terminal.ok("aws cloudformation delete-stack --stack-name FisStackVpc");
    terminal.ok("aws cloudformation wait stack-delete-complete --stack-name FisStackVpc");
    let run = sandbox.run(&["run", "original"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("`fis-workshop up` connects it again"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn an_experiment_that_the_safety_lever_keeps_from_running_says_so() {
    let sandbox = Sandbox::with_endpoint();
    let terminal = set_up(&sandbox);
    terminal.aws("fis update-safety-lever-state --id default --state status=engaged,reason=test");
    sandbox.ok(&["run", "original", "--detach"]);
    let run = sandbox.run(&["interrupt"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("the safety lever of the account is engaged"), "{run:?}");
    assert!(run.stderr.contains("update-safety-lever-state --id default --state status=disengaged"), "{run:?}");
    terminal.aws("fis update-safety-lever-state --id default --state status=disengaged,reason=test");
    sandbox.ok(&["interrupt"]);
    sandbox.ok(&["down"]);
}
