//! What the roles of the lab use: the endpoint logs every decision that it takes about one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::page;
use super::policy::{Policy, matches};
use crate::boto::Boto;
use crate::harness::{Sandbox, becomes};

/// What AWS may use and the endpoint does not: role, action. The page has the reasons.
const UNSEEN: &[(&str, &str)] = &[("ExecutionRole", "ecr:BatchCheckLayerAvailability")];

/// What AWS knows no resource for, or no name before it exists: role, action. The page has the reasons.
const WILDCARDS: &[(&str, &str)] = &[
    ("ExecutionRole", "ecr:GetAuthorizationToken"),
    ("WatchdogRole", "ecs:ListTasks"),
    ("FisWorkshopServiceRole", "ecs:DescribeTasks"),
    ("FisWorkshopServiceRole", "ecs:ListTasks"),
    ("FisWorkshopServiceRole", "tag:GetResources"),
];

/// All but that of a worker of one's own, which may do more than any one worker does; the page has the reason.
const ROLES: [&str; 6] = [
    "ExecutionRole",
    "OriginalTaskRole",
    "ImprovedTaskRole",
    "QueueTaskRole",
    "WatchdogRole",
    "FisWorkshopServiceRole",
];

#[test]
fn each_role_may_do_exactly_what_a_full_run_uses() {
    let sandbox = with_log();
    // Every variant, interrupted by experiments and resumed.
    sandbox.ok(&["lab", "--keep", "--item-seconds", "0.25"]);
    sandbox.ok(&["try", "--env", "lab", "--", "/bin/echo", "a line for its log"]);
    give_an_item_back(&sandbox);
    let roles = policies(&sandbox);
    let decisions = decisions(&sandbox);
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

/// Stops a task of the queue for certain while it has an item in hand: short items may all have been between two calls.
fn give_an_item_back(sandbox: &Sandbox) {
    sandbox.ok(&["clear", "--env", "lab"]);
    sandbox.ok(&["run", "queue", "--env", "lab", "--item-seconds", "600", "--detach"]);
    becomes(&json!(1), || sandbox.json(&["status", "--env", "lab"])["queue"]["in_work"].clone());
    sandbox.ok(&["interrupt", "--env", "lab"]);
}

/// A decision, as the endpoint logs it.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) role: String,
    pub(super) action: String,
    pub(super) resource: String,
    allowed: bool,
}

/// With an endpoint that logs its decisions.
pub(super) fn with_log() -> Sandbox {
    let sandbox = Sandbox::new();
    let start = sandbox.command(&["local", "start", "--port", "0"]).env("FIS_WORKSHOP_LOG", "local_aws=debug").output();
    assert!(start.unwrap().status.success());
    sandbox
}

/// All that it has decided.
pub(super) fn decisions(sandbox: &Sandbox) -> Vec<Decision> {
    let log = std::fs::read_to_string(sandbox.state_dir().join("local.log")).unwrap();
    log.lines().filter_map(Decision::of).collect()
}

impl Decision {
    fn of(line: &str) -> Option<Self> {
        let fields = line.split_once(": authorize ")?.1;
        let field = |name: &str| {
            let found = fields.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned)
        };
        let allowed = field("of_identity")? == "Allowed" || field("of_resource")? == "Allowed";
        Some(Self { role: field("role")?, action: field("action")?, resource: field("resource")?, allowed })
    }
}

/// ARN and policy of each role of the lab's environment, by its logical id.
fn policies(sandbox: &Sandbox) -> BTreeMap<&'static str, (String, Policy)> {
    let mut boto = Boto::start(sandbox.variables());
    let mut call = |service: &str, operation: &str, input: Value| boto.call(service, operation, &input).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
    let mut found = BTreeMap::new();
    for id in ROLES {
        let resource = json!({"StackName": "FisStopTaskStack-lab", "LogicalResourceId": id});
        let resource = call("cloudformation", "DescribeStackResource", resource);
        let role = json!({"RoleName": resource["StackResourceDetail"]["PhysicalResourceId"]});
        let arn = text(&call("iam", "GetRole", role.clone())["Role"]["Arn"]);
        let names = call("iam", "ListRolePolicies", role.clone())["PolicyNames"].take();
        let [policy] = names.as_array().unwrap().as_slice() else { panic!("{id} has {names}") };
        // botocore has decoded the document.
        let policy = json!({"RoleName": role["RoleName"], "PolicyName": policy});
        let document = call("iam", "GetRolePolicy", policy)["PolicyDocument"].take();
        let attached = call("iam", "ListAttachedRolePolicies", role)["AttachedPolicies"].take();
        assert_eq!(attached, json!([]), "{id}");
        found.insert(id, (arn, Policy::of(&document)));
    }
    found
}
