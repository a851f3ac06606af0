//! The whole life of the lab, played by people who have the published policies and nothing else: the endpoint refuses what
//! they do not allow, as AWS does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::people::{UNSEEN, improved_image};
use super::policy::matches;
use super::roles::{Decision, decisions, with_log};
use super::{directory, document};
use crate::boto::Boto;
use crate::harness::{Run, Sandbox};

/// The person who sets up, as `doctor` asks for permissions, too.
const DEPLOYER: &[&[&str]] = &[
    &["doctor"],
    &["plan"],
    &["up"],
    &["up", "--ignore-drift"],
    &["up", "--count", "40"],
    &["status", "--all"],
    &["regenerate", "--env", "seat-02"],
    &["image", "push"],
    &["down", "--count", "40"],
];

/// The chapter.
const ATTENDEE: &[&[&str]] = &[
    &["run", "original", "--detach", "--item-seconds", "0.2"],
    &["interrupt", "--at-index", "1"],
    &["items"],
    &["logs", "original"],
    &["run", "improved", "--item-seconds", "0"],
    &["status"],
    &["clear"],
    &["run", "queue", "--item-seconds", "0"],
    &["logs", "watchdog", "--function"],
    &["clear"],
    // For `down` to stop.
    &["run", "original", "--detach", "--item-seconds", "30"],
    &["interrupt", "--dry-run"],
];

/// The files that whoever sets up has.
const DEPLOYERS: [&str; 3] = ["deployer", "deployer-cloudformation", "deployer-cloudformation-network"];

/// What somebody may do, by the files of docs/permissions.
struct Person {
    keys: Vec<(&'static str, String)>,
    url: String,
}

impl Person {
    /// In a role that has the policies.
    fn with(sandbox: &Sandbox, name: &str, documents: &[(&str, Value)]) -> Self {
        let mut boto = Boto::start(sandbox.variables());
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}]});
        let policies = documents.iter().map(|(name, document)| json!({"PolicyName": name, "PolicyDocument": document}));
        let role = json!({"Type": "AWS::IAM::Role", "Properties": {"RoleName": name,
            "AssumeRolePolicyDocument": trust, "Policies": policies.collect::<Vec<_>>()}});
        let template = json!({"Resources": {"Role": role}}).to_string();
        let stack = json!({"StackName": format!("role-{name}"), "TemplateBody": template,
            "Capabilities": ["CAPABILITY_NAMED_IAM"]});
        boto.call("cloudformation", "CreateStack", &stack).unwrap();
        let arn = format!("arn:aws:iam::000000000000:role/{name}");
        let assume = json!({"RoleArn": arn, "RoleSessionName": "person"});
        let credentials = crate::harness::found("the role", || boto.call("sts", "AssumeRole", &assume).ok());
        let text = |name: &str| credentials["Credentials"][name].as_str().unwrap().to_owned();
        let keys = vec![
            ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
            ("AWS_SESSION_TOKEN", text("SessionToken")),
        ];
        Self { keys, url: sandbox.variables()["AWS_ENDPOINT_URL"].clone() }
    }

    fn run(&self, sandbox: &Sandbox, args: &[&str]) -> Run {
        let mut command = sandbox.command(args);
        command.envs(self.keys.iter().cloned()).env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", "us-east-1");
        command.env("FIS_WORKSHOP_TARGET", "aws").env("FIS_WORKSHOP_YES", "true");
        Run::of(command.output().unwrap())
    }

    fn ok(&self, sandbox: &Sandbox, args: &[&str]) {
        let run = self.run(sandbox, args);
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
    }
}

fn published(name: &str) -> (&str, Value) {
    (name, serde_json::from_str(&document(&format!("{name}.json")).1).unwrap())
}

/// They are enough, and nobody asks for less: each action of theirs is asked for on a resource that it names, or it is
/// explained why that was not to be seen.
#[test]
fn the_published_policies_are_enough_and_no_action_is_too_much() {
    let sandbox = with_log();
    let deployer = Person::with(&sandbox, "Deployer", &DEPLOYERS.map(published));
    let attendee = Person::with(&sandbox, "Attendee", &[published("attendee"), published("own-worker")]);
    let (make, take) = DEPLOYER.split_at(DEPLOYER.len() - 1);
    for args in make {
        deployer.ok(&sandbox, args);
    }
    for person in [&deployer, &attendee] {
        for (verb, says) in [("logs", "No task has run"), ("interrupt", "The experiment would hit nothing")] {
            let run = person.run(&sandbox, &[verb, "--env", "seat-03"]);
            assert!(run.stderr.contains(says), "{run:?}");
        }
    }
    // With the images where the endpoint's tasks find them.
    for args in ATTENDEE {
        attendee.ok(&sandbox, args);
    }
    attendee.ok(&sandbox, &["try", "--force", "--item-seconds", "0", "--image", &improved_image(&sandbox)]);
    deployer.ok(&sandbox, &["interrupt", "--dry-run"]);
    for args in take.iter().chain(&[&["lab", "--item-seconds", "0.25"][..], &["down", "--all"]]) {
        deployer.ok(&sandbox, args);
    }
    let asked = decisions(&sandbox);
    for (role, name) in [("Deployer", "deployer"), ("Attendee", "attendee"), ("Attendee", "own-worker")] {
        let asked: Vec<_> = asked.iter().filter(|it| it.role.ends_with(&format!("role/{role}"))).collect();
        let policy = document(&format!("{name}.json")).0;
        for statement in policy.statements() {
            for action in &statement.actions {
                let fits = |asked: &Decision| statement.resources.iter().any(|it| matches(it, &asked.resource));
                let is_asked = asked.iter().any(|asked| asked.action == *action && fits(asked));
                let is_explained = UNSEEN.contains(&(statement.id.as_str(), action.as_str()));
                assert!(is_asked || is_explained, "{name}.json: nobody asks for {action} of {}", statement.id);
            }
        }
    }
}

/// An attendee neither sets up nor takes down, and is told by AWS's words which action was missing.
#[test]
fn what_the_policies_do_not_allow_is_refused() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let attendee = Person::with(&sandbox, "Attendee", &[published("attendee")]);
    for args in [["up"], ["down"], ["regenerate"]] {
        let run = attendee.run(&sandbox, &args);
        assert_eq!(run.code, 1, "{args:?}: {run:?}");
        let refusal = "User: arn:aws:sts::000000000000:assumed-role/Attendee/person is not authorized to perform: ";
        assert!(run.stderr.contains(&format!("{refusal}cloudformation:DescribeStacks")), "{args:?}: {run:?}");
    }
    sandbox.ok(&["items"]);
}

/// Without any one of the actions that the first commands call, they are refused: each is asked for.
#[test]
fn each_action_of_the_first_commands_is_needed() {
    let sandbox = Sandbox::with_endpoint();
    let all = DEPLOYERS.map(published);
    for (number, action) in [
        "cloudformation:ListStacks",
        "cloudformation:DescribeStacks",
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:TagResource",
        "cloudformation:DeleteChangeSet",
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeSubnets",
    ]
    .into_iter()
    .enumerate()
    {
        let documents = all.each_ref().map(|(name, document)| (*name, without(document, action)));
        let person = Person::with(&sandbox, &format!("Person{number}"), &documents);
        let run = person.run(&sandbox, &["plan"]);
        assert_eq!(run.code, 1, "{action}: {run:?}");
        assert!(run.stderr.contains(&format!("is not authorized to perform: {action}")), "{action}: {run:?}");
    }
}

/// The policy with one action less, wherever it stands.
fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let actions: BTreeSet<String> = match &statement["Action"] {
            Value::String(one) => BTreeSet::from([one.clone()]),
            many => serde_json::from_value(many.clone()).unwrap(),
        };
        // A statement has an action at least; nobody asks for this one.
        let mut left: Vec<_> = actions.into_iter().filter(|one| one != action).collect();
        left.push("iam:ListUsers".to_owned());
        statement["Action"] = json!(left);
    }
    policy
}

/// Every file that is published is played by somebody here.
#[test]
fn every_published_policy_is_played() {
    let files = std::fs::read_dir(directory()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let played = [
        "attendee.json",
        "deployer-cloudformation-network.json",
        "deployer-cloudformation.json",
        "deployer.json",
        "own-worker.json",
    ];
    assert_eq!(files.collect::<BTreeSet<_>>(), played.map(str::to_owned).into());
}
