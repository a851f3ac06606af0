//! What AWS does and a machine does not: no capacity, tasks and tags that are visible late, a network that is still being
//! made. The endpoint answers through a proxy that now and then answers first, in AWS's words.

use serde_json::json;

use crate::harness::Sandbox;
use crate::wire::{Answer, Proxy};

const EMPTY: &str = "Target resolution returned empty set";

#[test]
fn no_capacity_a_missing_task_and_a_log_that_is_not_there_yet_are_waited_for() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let reason = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    let missing = json!({"tasks": [], "failures": [{"arn": "a", "reason": "MISSING"}]});
    let no_stream =
        json!({"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."});
    let answers = vec![
        Answer::new("ecs:RunTask", json!({"tasks": [], "failures": [{"reason": reason}]})),
        // The tasks that `run` lists first are none, so the first to be described is the one that it started.
        Answer::new("ecs:DescribeTasks", &missing),
        Answer::new("ecs:DescribeTasks", &missing),
        Answer { status: 400, ..Answer::new("logs:GetLogEvents", no_stream) },
    ];
    let run = Proxy::of(&sandbox).scripted(&sandbox, &["run", "original", "--item-seconds", "0.05"], answers);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains(&format!("{reason}. Trying again.\n")), "{run:?}");
    assert!(run.stdout.starts_with("Starting batch job\n"), "{run:?}");
    assert!(run.stdout.ends_with("Successfully PUT item 9 out of 10 into DDB\n"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_first_experiment_makes_the_role_and_one_that_finds_no_target_yet_is_repeated() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["run", "original", "--detach"]);
    let denied = "User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: y";
    let role = "<CreateServiceLinkedRoleResponse><CreateServiceLinkedRoleResult/></CreateServiceLinkedRoleResponse>";
    let state = json!({"status": "failed", "reason": EMPTY, "error": {"code": "InvalidTarget"}});
    let answers = vec![
        Answer {
            status: 403,
            code: "AccessDeniedException",
            ..Answer::new("fis:StartExperiment", json!({"message": denied}))
        },
        Answer::new("iam:CreateServiceLinkedRole", role),
        Answer::new("fis:StartExperiment", json!({"experiment": {"id": "EXPempty"}})),
        Answer {
            with: Some(("id", "EXPempty")),
            ..Answer::new("fis:GetExperiment", json!({"experiment": {"id": "EXPempty", "state": state}}))
        },
    ];
    let run = Proxy::of(&sandbox).scripted(&sandbox, &["interrupt"], answers);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("no role AWSServiceRoleForFIS yet: creating it"), "{run:?}");
    assert!(run.stderr.contains("FIS does not find the task by its tag yet: trying again"), "{run:?}");
    assert!(run.stdout.contains("was stopped before it had written anything (exit code 143)"), "{run:?}");
    sandbox.ok(&["down"]);
}

#[test]
fn a_network_that_is_still_being_made_is_waited_for() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    // By name instead of an ARN: so the events that follow are those of the stack that is there.
    let busy = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>FisStackVpc</StackName>\
        <StackId>FisStackVpc</StackId><StackStatus>CREATE_IN_PROGRESS</StackStatus>\
        <CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";
    let network = Some(("StackName", "FisStackVpc"));
    let answers = vec![Answer { with: network, ..Answer::new("cloudformation:DescribeStacks", busy) }];
    let run = Proxy::of(&sandbox).scripted(&sandbox, &["run", "original", "--detach"], answers);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("The network is still being made; the task is started when it is complete."),
        "{run:?}"
    );
    assert!(run.stderr.contains("NatGateway CREATE_COMPLETE (AWS::EC2::NatGateway)"), "{run:?}");
    sandbox.ok(&["down"]);
}
