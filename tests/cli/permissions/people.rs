//! What people need, by what their commands call.

use std::collections::BTreeSet;

use super::document;
use super::needs::Needs;
use crate::harness::{Run, Sandbox};
use crate::wire::{Call, Proxy};

/// What AWS asks for and no recorded call shows.
const UNSEEN: &[(&str, &str)] = &[
    // AWS makes these roles with the permissions of whoever needs them first; an account has them or not.
    ("MakeServiceLinkedRoles", "iam:CreateServiceLinkedRole"),
    // The registry speaks the distribution API of OCI, not AWS's; ECR authorizes its requests as these.
    ("LogInToTheRegistry", "ecr:GetAuthorizationToken"),
    ("PushImages", "ecr:BatchCheckLayerAvailability"),
    ("PushImages", "ecr:BatchGetImage"),
    ("PushImages", "ecr:CompleteLayerUpload"),
    ("PushImages", "ecr:InitiateLayerUpload"),
    ("PushImages", "ecr:PutImage"),
    ("PushImages", "ecr:UploadLayerPart"),
];

/// The chapter, and what goes wrong in it: an `interrupt` that finds no task looks for clusters.
const CHAPTER: &[&[&str]] = &[
    &["status"],
    &["run", "original", "--detach", "--item-seconds", "0.1"],
    &["interrupt", "--at-index", "1"],
    &["interrupt"],
    &["items"],
    &["logs", "original"],
    &["clear"],
    &["run", "improved", "--item-seconds", "0"],
    &["run", "original", "--detach"],
];

#[test]
fn the_policies_allow_what_commands_call_and_nothing_else() {
    let sandbox = Sandbox::with_endpoint();
    let proxy = Proxy::of(&sandbox);
    let mut needs = Needs::default();
    let mut calls = |args: &[&str]| -> Vec<Call> {
        let run = Run::of(proxy.command(&sandbox, args).output().unwrap());
        assert!(run.code == 0 || args == ["interrupt"], "{args:?}: {run:?}");
        proxy.take_calls()
    };
    let mut deployer: Vec<Call> = [&["plan"][..], &["up"], &["up"]].into_iter().flat_map(&mut calls).collect();
    // Puts the images where the endpoint's tasks find them.
    sandbox.ok(&["up"]);
    let attendee: Vec<Call> = CHAPTER.iter().flat_map(|args| calls(args)).collect();
    deployer.extend(attendee.clone());
    deployer.extend(calls(&["down"]));
    both_ways("deployer.json", &deployer, &mut needs);
    both_ways("attendee.json", &attendee, &mut needs);
}

fn both_ways(name: &str, calls: &[Call], needs: &mut Needs) {
    let policy = document(name).0;
    let mut used = BTreeSet::new();
    for call in calls {
        for need in needs.of(call) {
            let statement = policy.allows(&need).unwrap_or_else(|| panic!("{name} does not allow {need:?}"));
            used.insert((statement.id.clone(), need.action));
        }
    }
    let unseen = UNSEEN.iter().map(|(id, action)| ((*id).to_owned(), (*action).to_owned()));
    let unused: Vec<_> =
        policy.parts().difference(&used).filter(|part| !unseen.clone().any(|u| u == **part)).cloned().collect();
    assert_eq!(unused, [], "{name} allows what no command calls");
}
