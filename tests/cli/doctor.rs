//! `doctor`: against this machine, against the endpoint in the place of AWS, and against scripted answers.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Run, Sandbox};
use crate::wire::{Fault, Proxy};

/// `doctor --target aws`, sent to `endpoint`.
fn on_aws(sandbox: &Sandbox, endpoint: &str) -> Command {
    let mut command = sandbox.command(&["doctor", "--target", "aws", "--output", "json"]);
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1").env("AWS_MAX_ATTEMPTS", "1");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn report(command: &mut Command) -> (i32, Value) {
    let run = Run::of(command.output().unwrap());
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (run.code, report)
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}: {report}"))
}

#[test]
fn this_machine_is_fit_for_the_lab() {
    let sandbox = Sandbox::with_endpoint();
    let report = sandbox.json(&["doctor"]);
    assert_eq!(report["problems"], 0, "{report}");
    assert_eq!(check(&report, "endpoint")["level"], "ok");
    assert_eq!(check(&report, "state directory")["level"], "ok");
}

#[test]
fn a_taken_port_and_a_state_directory_that_is_a_file_are_problems() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, found) = report(sandbox.command(&["doctor", "--output", "json"]).env("FIS_WORKSHOP_PORT", &port));
    assert_eq!((code, &check(&found, "port")["level"]), (1, &"problem".into()));
    std::fs::write(sandbox.path().join("file"), "").unwrap();
    let (code, found) = report(&mut sandbox.command(&["doctor", "--output", "json", "--state-dir", "file/state"]));
    assert_eq!((code, &check(&found, "state directory")["level"]), (1, &"problem".into()));
}

#[test]
fn the_endpoint_in_the_place_of_aws_is_examined_with_its_quotas() {
    let sandbox = Sandbox::with_endpoint();
    let record = sandbox.json(&["local", "env"]);
    let with_keys = |count: &str| {
        let mut command = on_aws(&sandbox, record["AWS_ENDPOINT_URL"].as_str().unwrap());
        for key in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            command.env(key, record[key].as_str().unwrap());
        }
        command.args(["--count", count]);
        report(&mut command).1
    };
    let few = with_keys("2");
    for name in ["credentials", "region", "clock", "ECS", "FIS", "quota VPCs", "quota elastic IPs"] {
        assert_eq!(check(&few, name)["level"], "ok", "{few}");
    }
    // A quarter of a vCPU for each: 40 environments take 10, and the default quota is 6.
    assert_eq!(check(&with_keys("40"), "quota Fargate vCPUs")["level"], "problem");
}

#[test]
fn where_requests_go_instead_of_aws_is_said_and_what_goes_on_is_shown_on_a_terminal() {
    let sandbox = Sandbox::new();
    let run = Run::of(on_aws(&sandbox, "http://127.0.0.1:9").output().unwrap());
    assert!(run.stderr.contains("AWS_ENDPOINT_URL is set: requests go there, not to AWS."), "{}", run.stderr);
    let local = sandbox.run(&["doctor"]);
    assert!(!local.stderr.contains("AWS_ENDPOINT_URL"), "{}", local.stderr);
    let seen = sandbox.on_terminal(&["doctor"], "");
    assert!(seen.contains("Checking this machine"), "{seen}");
}

#[test]
fn without_credentials_that_is_the_problem() {
    let sandbox = Sandbox::new();
    let (code, found) = report(&mut on_aws(&sandbox, "http://127.0.0.1:9"));
    assert_eq!(code, 1);
    let credentials = check(&found, "credentials");
    assert_eq!(credentials["level"], "problem");
    assert!(credentials["remedy"].as_str().unwrap().contains("aws configure"), "{found}");
}

#[test]
fn expired_credentials_and_a_wrong_clock_are_told_apart() {
    let sandbox = Sandbox::with_endpoint();
    let proxy = Proxy::of(&sandbox);
    let with = |fault: Fault| {
        proxy.plan(move |_| Some(fault));
        let mut command = proxy.command(&sandbox, &["doctor", "--output", "json"]);
        report(command.env("AWS_MAX_ATTEMPTS", "1"))
    };
    let (code, found) = with(Fault::Expired);
    assert_eq!(code, 1);
    assert_eq!(check(&found, "credentials")["level"], "problem");
    assert!(check(&found, "credentials")["remedy"].as_str().unwrap().contains("expired"), "{found}");
    let (code, found) = with(Fault::Skewed);
    assert_eq!(code, 1);
    assert_eq!(check(&found, "clock")["level"], "problem");
    assert!(check(&found, "credentials")["remedy"].as_str().unwrap().contains("clock"), "{found}");
}
