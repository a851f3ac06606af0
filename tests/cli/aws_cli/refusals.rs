//! What stands in the way of the tool in an account: each gets one message with cause and remedy, and nothing is half
//! changed.

use serde_json::{Value, json};

use super::Terminal;
use crate::harness::{Run, Sandbox, becomes};
use crate::wire::{Fault, Proxy};

const FOREIGN: &str = r#"{"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}}}"#;

/// One error, with the cause and the remedy, of exit code 1.
fn refused(run: &Run, message: &str, cause: &str, hint: &str) {
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
    for text in [message, cause, hint] {
        assert!(run.stderr.contains(text), "{text} is missing: {run:?}");
    }
}

fn stacks(aws: &Terminal<'_>) -> Value {
    aws.aws("cloudformation describe-stacks --query 'sort_by(Stacks,&StackName)[].[StackName,StackStatus]'")
}

/// A command in an account that answers as `fault` says to the calls that are `hit`.
fn behind(sandbox: &Sandbox, fault: Fault, hit: fn(&str) -> bool, args: &[&str]) -> Run {
    let proxy = Proxy::of(sandbox);
    proxy.plan(move |call| hit(&call.name()).then_some(fault));
    Run::of(proxy.command(sandbox, args).output().unwrap())
}

#[test]
fn a_stack_of_somebody_else_is_left_as_it_is() {
    for name in ["FisStackVpc", "FisStopTaskStack"] {
        let sandbox = Sandbox::with_endpoint();
        let aws = Terminal::of(&sandbox);
        aws.write("foreign.json", FOREIGN);
        aws.ok(&format!("aws cloudformation deploy --stack-name {name} --template-file foreign.json"));
        let regenerate = if name == "FisStackVpc" { &["regenerate"][..] } else { &["down"] };
        for args in [&["up"][..], &["plan"], &["down"], regenerate] {
            let run = sandbox.run(args);
            refused(&run, "was not made by fis-workshop", "fis-workshop:environment", "--env");
        }
        assert_eq!(stacks(&aws), json!([[name, "CREATE_COMPLETE"]]));
    }
}

#[test]
fn what_is_protected_against_deletion_goes_on_undisturbed() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let aws = Terminal::of(&sandbox);
    let protect = |enable: &str, stack: &str| {
        aws.ok(&format!("aws cloudformation update-termination-protection {enable} --stack-name {stack}"));
    };
    sandbox.ok(&["run", "original", "--detach", "--item-seconds", "60"]);
    let status = || sandbox.json(&["status"])["tasks"][0]["last_status"].clone();
    becomes(&json!("RUNNING"), status);
    for stack in ["FisStopTaskStack", "FisStackVpc"] {
        protect("--enable-termination-protection", stack);
        let down = sandbox.run(&["down"]);
        refused(&down, "is protected against deletion", "termination protection is enabled", "--no-enable");
        if stack == "FisStopTaskStack" {
            let again = sandbox.run(&["regenerate"]);
            refused(&again, "is protected against deletion", "termination protection is enabled", "--no-enable");
        }
        assert_eq!(status(), "RUNNING");
        protect("--no-enable-termination-protection", stack);
    }
    sandbox.ok(&["down"]);
}

#[test]
fn a_quota_that_is_reached_is_named_and_what_was_begun_goes_by_down() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    let vpcs: serde_json::Map<_, _> = (0..5)
        .map(|n| (format!("Vpc{n}"), json!({"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}})))
        .collect();
    aws.write("full.json", &json!({"Resources": vpcs}).to_string());
    aws.ok("aws cloudformation deploy --stack-name full --template-file full.json");
    let run = sandbox.run(&["up"]);
    refused(&run, "error: The stack FisStackVpc", "FisVpc (AWS::EC2::VPC) CREATE_FAILED: ", "quota");
    assert_eq!(stacks(&aws), json!([["FisStackVpc", "ROLLBACK_COMPLETE"], ["full", "CREATE_COMPLETE"]]));
    sandbox.ok(&["down"]);
    assert_eq!(stacks(&aws), json!([["full", "CREATE_COMPLETE"]]));
}

#[test]
fn a_repository_that_was_deleted_is_named_with_the_remedy() {
    let sandbox = Sandbox::with_endpoint();
    let network = sandbox.json(&["up"])["network"]["outputs"].clone();
    let aws = Terminal::of(&sandbox);
    let uri = network["RepositoryUri"].as_str().unwrap();
    let name = uri.split_once('/').unwrap().1;
    aws.ok(&format!("aws ecr delete-repository --force --repository-name {name}"));
    let before = stacks(&aws);
    let run = sandbox.run(&["up", "--ignore-drift"]);
    refused(&run, "repository", "does not exist", "hint: ");
    assert_eq!(stacks(&aws), before);
    // Otherwise it comes back, with the images.
    let network = sandbox.json(&["up"])["network"]["outputs"].clone();
    let name = network["RepositoryUri"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
    let images = aws.aws(&format!("ecr list-images --repository-name {name}"));
    assert_eq!(images["imageIds"].as_array().unwrap().len(), 4, "{images}");
    sandbox.ok(&["down"]);
}

#[test]
fn without_permission_nothing_is_made_and_nothing_is_deleted() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    for hit in
        [|_: &str| true, |name: &str| name == "cloudformation:CreateStack" || name == "cloudformation:CreateChangeSet"]
    {
        let run = behind(&sandbox, Fault::Denied, hit, &["up"]);
        refused(&run, "error: ", "is not authorized to perform", "permission");
        assert_eq!(stacks(&aws), json!([]));
    }
    sandbox.ok(&["up"]);
    let before = stacks(&aws);
    let run = behind(&sandbox, Fault::Denied, |name| name == "cloudformation:DeleteStack", &["down"]);
    refused(&run, "error: ", "is not authorized to perform", "permission");
    assert_eq!(stacks(&aws), before);
    sandbox.ok(&["down"]);
}

#[test]
fn expired_credentials_change_nothing() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    for args in [&["up"][..], &["down"], &["status"]] {
        let run = behind(&sandbox, Fault::Expired, |_| true, args);
        refused(&run, "error: ", "expired", "aws sso login");
    }
    assert_eq!(stacks(&aws), json!([]));
}

#[test]
fn without_credentials_or_region_that_is_what_is_said() {
    let sandbox = Sandbox::new();
    let aws = |region: &[(&str, &str)], args: &[&str]| {
        let mut command = sandbox.command(&[args, &["--target", "aws"]].concat());
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(region.iter().copied());
        Run::of(command.output().unwrap())
    };
    for args in [
        &["up", "--yes"][..],
        &["plan"],
        &["status"],
        &["run", "original"],
        &["regenerate", "--yes"],
        &["down", "--yes"],
    ] {
        let run = aws(&[("AWS_REGION", "us-east-1")], args);
        refused(&run, "error: ", "credentials", "aws configure");
    }
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let run = aws(&keys, &["up", "--yes"]);
    assert_eq!(
        (run.code, run.stderr.contains("No AWS region is set"), run.stderr.contains("--region")),
        (2, true, true),
        "{run:?}"
    );
}

/// The name of a region is part of every host: a wrong one leads nowhere.
#[test]
fn a_region_that_is_none_is_said_before_anything_else() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["up", "--target", "aws", "--yes", "--region", "eu-wset-1"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    let run = Run::of(command.output().unwrap());
    refused(&run, "error: ", "cause: ", "region");
}

#[test]
fn doctor_goes_on_without_any_permission() {
    let sandbox = Sandbox::with_endpoint();
    let run = behind(&sandbox, Fault::Denied, |name| !name.starts_with("sts:"), &["doctor", "--output", "json"]);
    let found: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let checks = found["checks"].as_array().unwrap();
    assert!(checks.len() > 8, "{found}");
    for check in checks {
        if check["level"] != "ok" {
            assert!(check["remedy"].is_string(), "{check}");
        }
    }
    assert!(checks.iter().any(|check| check["level"] != "ok"), "{found}");
}
