//! checkov on the templates as they are printed: nothing is found but what is waived, and each waiver has its reason.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Sandbox, judge};

#[test]
fn checkov_finds_nothing_but_what_is_waived() {
    let sandbox = Sandbox::new();
    let [network, workshop] = ["network", "workshop"].map(|name| sandbox.ok(&["render", name]));
    let report = check(&sandbox, [&network, &workshop]);
    let results = &report["results"];
    assert_eq!(results["failed_checks"], serde_json::json!([]));
    assert_eq!(results["parsing_errors"], serde_json::json!([]));
    assert!(results["passed_checks"].as_array().unwrap().len() > 40, "{}", report["summary"]);
    let waived = results["skipped_checks"].as_array().unwrap();
    for waiver in waived {
        let reason = waiver["check_result"]["suppress_comment"].as_str().unwrap_or_default();
        assert!(reason.len() > 40, "{}: {reason:?}", waiver["check_id"]);
    }
    // Without a waiver the finding is there: none has outlived what it is for.
    let bare = |template: &str| template.replace("id: CKV_", "id: NONE_");
    let report = check(&sandbox, [&bare(&network), &bare(&workshop)]);
    assert_eq!(report["summary"]["failed"].as_u64().unwrap(), waived.len() as u64);
}

fn check(sandbox: &Sandbox, templates: [&String; 2]) -> Value {
    let mut command = Command::new(judge("checkov"));
    command.env_clear().env("HOME", sandbox.path()).env("LANG", "C.UTF-8").current_dir(sandbox.path());
    // Without a word to its maker's servers.
    command.args(["--skip-download", "--framework", "cloudformation", "--output", "json"]);
    for (name, template) in ["network.yaml", "workshop.yaml"].iter().zip(templates) {
        std::fs::write(sandbox.path().join(name), template).unwrap();
        command.args(["--file", name]);
    }
    let output = command.output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}
