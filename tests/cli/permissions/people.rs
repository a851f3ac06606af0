//! What people need, by what their commands call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::document;
use super::needs::Needs;
use super::operations;
use crate::harness::{Run, Sandbox};
use crate::wire::{Call, Proxy};

/// What AWS asks for and no recorded call shows.
pub(super) const UNSEEN: &[(&str, &str)] = &[
    // Called only when a plan has failed, and when a rollback has.
    ("MakeAndDeleteStacks", "cloudformation:DescribeEvents"),
    ("MakeAndDeleteStacks", "cloudformation:ContinueUpdateRollback"),
    // AWS's reference names it for every update with tags; the program takes no tag away.
    ("MakeAndDeleteStacks", "cloudformation:UntagResource"),
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
    ("PushImages", "ecr:GetDownloadUrlForLayer"),
    // Asked only of what has survived `down`, and of experiments that still run then.
    ("PushImages", "ecr:ListImages"),
    ("FindClusters", "ecs:DescribeClusters"),
    ("FindNetworksAndImages", "ec2:DescribeNetworkInterfaces"),
    // Where GuardDuty has put something into the network.
    ("FindNetworksAndImages", "ec2:DescribeSecurityGroups"),
    ("RemoveWhatGuardDutyAdds", "ec2:DeleteSecurityGroup"),
    ("RemoveWhatGuardDutyAdds", "ec2:DeleteVpcEndpoints"),
    ("SeeExperiments", "fis:StopExperiment"),
    ("SwitchWatchdogsOff", "events:DescribeRule"),
    ("SeeWhatIsLeftOfWatchdogsAndQueues", "lambda:GetFunctionConfiguration"),
    ("SeeWhatIsLeftOfWatchdogsAndQueues", "sqs:GetQueueUrl"),
    // Where a queue is not empty.
    ("FillAndEmptyQueues", "sqs:PurgeQueue"),
    // Asked only of what the index of tags names, and of quotas that have a default only.
    ("FindNetworksAndImages", "ec2:DescribeInternetGateways"),
    ("LookBeforehand", "servicequotas:GetAWSDefaultServiceQuota"),
    // `run` follows a network that is still being made.
    ("FollowTheNetwork", "cloudformation:DescribeStackEvents"),
];

/// The chapter, and what goes wrong in it: an `interrupt` that finds no task looks for clusters.
const CHAPTER: &[&[&str]] = &[
    &["status"],
    &["run", "original", "--detach", "--item-seconds", "0.1"],
    &["interrupt", "--dry-run"],
    &["interrupt", "--at-index", "1"],
    &["interrupt"],
    &["items"],
    &["logs", "original"],
    &["clear"],
    &["run", "improved", "--item-seconds", "0"],
    &["clear"],
    &["run", "queue", "--item-seconds", "0"],
    &["logs", "watchdog", "--function"],
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
    let mut deployer: Vec<Call> =
        [&["doctor"][..], &["plan"], &["up"], &["up"], &["up", "--ignore-drift"], &["regenerate"]]
            .into_iter()
            .flat_map(&mut calls)
            .collect();
    // Puts the images where the endpoint's tasks find them.
    sandbox.ok(&["up"]);
    let attendee: Vec<Call> = CHAPTER.iter().flat_map(|args| calls(args)).collect();
    let own_worker = calls(&["try", "--force", "--item-seconds", "0", "--image", &improved_image(&sandbox)]);
    deployer.extend(attendee.clone());
    deployer.extend(calls(&["down"]));
    both_ways("deployer.json", &deployer, &mut needs);
    both_ways("attendee.json", &attendee, &mut needs);
    // What running any task needs, an attendee may already.
    let attendee = document("attendee.json").0;
    let is_more = |call: &Call| needs.of(call).iter().any(|need| attendee.allows(need).is_none());
    let own_worker: Vec<Call> = own_worker.into_iter().filter(is_more).collect();
    both_ways("own-worker.json", &own_worker, &mut Needs::default());
}

/// An image that is in the repository, as the one of somebody who has pushed hers.
pub(super) fn improved_image(sandbox: &Sandbox) -> String {
    let family = serde_json::json!({"taskDefinition": "FisStopTaskImprovedStackTaskDef"});
    let mut boto = crate::boto::Boto::start(sandbox.variables());
    let definition = boto.call("ecs", "DescribeTaskDefinition", &family).unwrap();
    definition["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap().to_owned()
}

/// The program may call more than a test can bring about.
#[test]
fn the_policies_of_the_deployer_have_every_operation_of_the_source() {
    let policies = ["deployer.json", "own-worker.json"].map(|name| document(name).0.parts());
    let actions: BTreeSet<String> = policies.into_iter().flatten().map(|(_, action)| action).collect();
    let mut calls = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text: String = std::fs::read_to_string(file).unwrap().split_whitespace().collect();
        calls.extend(text.split("clients.").skip(1).filter_map(operation));
    }
    assert!(calls.len() > 30, "{calls:?}");
    // Not operations, but what every client of the SDK has.
    calls.retain(|call| !call.ends_with(":Clone") && !call.ends_with(":Config"));
    // `prove` alone calls these, on an endpoint of its own and nowhere else.
    calls.retain(|call| !["sqs:SendMessage", "sqs:SetQueueAttributes"].contains(&call.as_str()));
    // Members that an input has somewhere in the source are not known here: the longest input that the recorded calls
    // do not show has none of those on which a permission depends.
    let calls: BTreeSet<String> =
        calls.iter().flat_map(|call| operations::actions(call, |_| false)).map(str::to_owned).collect();
    assert_eq!(
        calls.difference(&actions).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "missing in deployer.json and own-worker.json"
    );
}

/// `ecs.run_task().cluster(...` to `ecs:RunTask`.
fn operation(call: &str) -> Option<String> {
    let (service, rest) = call.split_once('.')?;
    let (name, _) = rest.split_once("()")?;
    let service = match service {
        "cloudformation" | "dynamodb" | "ec2" | "ecr" | "ecs" | "fis" | "iam" | "logs" | "sqs" | "sts" => service,
        "tagging" => "tagging",
        "quotas" => "servicequotas",
        _ => return None,
    };
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
    let camel = |word: &str| match word {
        "aws" => "AWS".to_owned(),
        word => word[..1].to_ascii_uppercase() + &word[1..],
    };
    name.chars().all(is_name).then(|| format!("{service}:{}", name.split('_').map(camel).collect::<String>()))
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
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
