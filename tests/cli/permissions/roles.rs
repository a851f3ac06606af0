//! What the roles of the lab use: the endpoint logs every decision that it takes about one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::page;
use super::policy::{Policy, matches};
use crate::harness::Sandbox;
use crate::kills::config;

/// What AWS may use and the endpoint does not: role, action. The page has the reasons.
const UNSEEN: &[(&str, &str)] = &[("ExecutionRole", "ecr:BatchCheckLayerAvailability")];

/// What AWS knows no resource for, or no name before it exists: role, action. The page has the reasons.
const WILDCARDS: &[(&str, &str)] = &[
    ("ExecutionRole", "ecr:GetAuthorizationToken"),
    ("FisWorkshopServiceRole", "ecs:DescribeTasks"),
    ("FisWorkshopServiceRole", "ecs:ListTasks"),
    ("FisWorkshopServiceRole", "tag:GetResources"),
];

const ROLES: [&str; 4] = ["ExecutionRole", "OriginalTaskRole", "ImprovedTaskRole", "FisWorkshopServiceRole"];

#[test]
fn each_role_may_do_exactly_what_a_full_run_uses() {
    let sandbox = Sandbox::new();
    let start = sandbox.command(&["local", "start", "--port", "0"]).env("FIS_WORKSHOP_LOG", "local_aws=debug").output();
    assert!(start.unwrap().status.success());
    // Both workers, each interrupted by an experiment and resumed.
    sandbox.ok(&["lab", "--keep", "--item-seconds", "0.05"]);
    let roles = policies(&sandbox);
    let log = std::fs::read_to_string(sandbox.state_dir().join("local.log")).unwrap();
    let decisions: Vec<Decision> = log.lines().filter_map(Decision::of).collect();
    assert!(!decisions.is_empty(), "no decision in the log");
    for id in ROLES {
        let (arn, policy) = &roles[id];
        let used: Vec<&Decision> = decisions.iter().filter(|decision| decision.role == *arn).collect();
        for decision in &used {
            assert!(decision.allowed, "{id}: {decision:?}");
        }
        for statement in policy.statements() {
            for action in statement.actions.iter().filter(|action| !UNSEEN.contains(&(id, action.as_str()))) {
                for resource in &statement.resources {
                    let is_used = used.iter().any(|d| d.action == *action && matches(resource, &d.resource));
                    assert!(is_used, "{id} may {action} on {resource}, which nothing used");
                }
            }
        }
        let page = page();
        let wide = |resource: &String| resource == "*" || resource.ends_with(":task/*");
        let wide = policy.statements().iter().filter(|statement| statement.resources.iter().any(wide));
        let wide: BTreeSet<_> = wide.flat_map(|statement| statement.actions.iter().map(String::as_str)).collect();
        let reasoned = WILDCARDS.iter().filter(|(role, _)| *role == id).map(|(_, action)| *action);
        assert_eq!(wide, reasoned.collect(), "{id}");
        for action in
            wide.iter().copied().chain(UNSEEN.iter().filter(|(role, _)| *role == id).map(|(_, action)| *action))
        {
            assert!(page.contains(&format!("| `{id}` | `{action}` |")), "docs/permissions.md: {id} {action}");
        }
    }
    // Nobody else acts in a role.
    let known: BTreeSet<&str> = roles.values().map(|(arn, _)| arn.as_str()).collect();
    assert!(decisions.iter().all(|decision| known.contains(decision.role.as_str())), "{decisions:?}");
}

/// A line of the endpoint's log.
#[derive(Debug)]
struct Decision {
    role: String,
    action: String,
    resource: String,
    allowed: bool,
}

impl Decision {
    fn of(line: &str) -> Option<Self> {
        let fields = line.split_once(": authorize ")?.1;
        let field = |name: &str| {
            let found = fields.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned)
        };
        let allowed = field("decision")? == "Allowed";
        Some(Self { role: field("role")?, action: field("action")?, resource: field("resource")?, allowed })
    }
}

/// ARN and policy of each role of the lab's environment, by its logical id.
fn policies(sandbox: &Sandbox) -> BTreeMap<&'static str, (String, Policy)> {
    let config = config(&sandbox.json(&["local", "env"]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cloudformation, iam) = (aws_sdk_cloudformation::Client::new(&config), aws_sdk_iam::Client::new(&config));
    runtime.block_on(async {
        let mut found = BTreeMap::new();
        for id in ROLES {
            let resource = cloudformation.describe_stack_resource().stack_name("FisStopTaskStack-lab");
            let resource = resource.logical_resource_id(id).send().await.unwrap();
            let name = resource.stack_resource_detail().unwrap().physical_resource_id().unwrap().to_owned();
            let arn = iam.get_role().role_name(&name).send().await.unwrap().role().unwrap().arn().to_owned();
            let names = iam.list_role_policies().role_name(&name).send().await.unwrap();
            let [policy] = names.policy_names() else { panic!("{id} has {names:?}") };
            let policy = iam.get_role_policy().role_name(&name).policy_name(policy).send().await.unwrap();
            let pair = format!("document={}", policy.policy_document().replace('+', "%2B"));
            let document = form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned();
            let document: Value = serde_json::from_str(&document).unwrap();
            let attached = iam.list_attached_role_policies().role_name(&name).send().await.unwrap();
            assert!(attached.attached_policies().is_empty(), "{id} has {attached:?}");
            found.insert(id, (arn, Policy::of(&document)));
        }
        found
    })
}
