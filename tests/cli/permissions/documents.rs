//! The documents themselves: valid, small enough, and every resource that is not named has its reason on the page.

use serde_json::{Value, json};

use super::{directory, document, page};
use crate::harness::{Run, Sandbox, judge};

const DOCUMENTS: [&str; 5] = [
    "deployer.json",
    "deployer-cloudformation.json",
    "deployer-cloudformation-network.json",
    "attendee.json",
    "own-worker.json",
];

/// IAM's limit for a managed policy; it does not count white space.
const LARGEST: usize = 6144;

#[test]
fn every_policy_fits_into_a_managed_policy_of_iam() {
    for name in DOCUMENTS {
        let size = document(name).1.chars().filter(|c| !c.is_whitespace()).count();
        assert!(size <= LARGEST, "{name}: {size} of {LARGEST} characters");
    }
}

#[test]
fn cfn_lint_knows_every_action_and_key_of_the_policies() {
    let sandbox = Sandbox::new();
    let policies = DOCUMENTS.iter().map(|name| {
        let text = std::fs::read_to_string(directory().join(name)).unwrap();
        let policy: Value = serde_json::from_str(&text).unwrap();
        let id = name.replace(['-', '.'], "");
        (id, json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}))
    });
    let template = json!({"Resources": policies.collect::<serde_json::Map<_, _>>()});
    let lint = |template: &str| {
        std::fs::write(sandbox.path().join("policies.json"), template).unwrap();
        let mut command = std::process::Command::new(judge("cfn-lint"));
        command.env_clear().env("HOME", sandbox.path()).current_dir(sandbox.path());
        Run::of(command.args(["--include-checks", "I", "--", "policies.json"]).output().unwrap())
    };
    let run = lint(&template.to_string());
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
    let run = lint(&template.to_string().replace("ecs:RunTask\"", "ecs:RunTusk\""));
    assert!(run.stdout.to_ascii_lowercase().contains("runtusk"), "cfn-lint would say so: {run:?}");
}

#[test]
fn every_resource_that_is_not_named_has_its_reason() {
    let page = page();
    let reasons = page.split("## Resources that are not named").nth(1).expect("the section");
    let reasons = reasons.split("\n## ").next().unwrap_or_default();
    for name in DOCUMENTS {
        for action in document(name).0.unnamed() {
            // `ec2:Describe*` stands for its family.
            let known = [action.clone(), family(&action)].iter().any(|text| reasons.contains(&format!("`{text}`")));
            assert!(known, "{name}: {action} on * has no reason in docs/permissions.md");
        }
    }
}

fn family(action: &str) -> String {
    let (service, name) = action.split_once(':').unwrap();
    if name.starts_with("Describe") { format!("{service}:Describe*") } else { format!("{service}:*") }
}
