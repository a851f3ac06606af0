//! What the caller may do, by IAM's own simulation.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::identity::{Caller, unread};
use super::{Check, Level};
use crate::aws::clients::Clients;
use crate::aws::iam::{ContextEntry, Simulation};
use crate::environment::Environment;
use crate::error::{Doing, Error, Result};

/// The policies that the documentation gives to whoever sets up and takes down. Tests hold them against what the commands
/// call, so what they allow is what is needed.
const POLICIES: [&str; 3] = [
    include_str!("../../docs/permissions/deployer.json"),
    include_str!("../../docs/permissions/deployer-cloudformation.json"),
    include_str!("../../docs/permissions/deployer-cloudformation-network.json"),
];

/// How many simulations at once: IAM is slow to answer and quick to throttle.
const AT_ONCE: usize = 4;

const CHECK: &str = "permissions";

pub(super) async fn check(clients: &Clients, caller: &Caller, environments: &[Environment]) -> Vec<Check> {
    if caller.arn.ends_with(":root") {
        let remedy = "Use a user or a role: the root user's keys cannot be limited.";
        return vec![Check::warning(
            CHECK,
            "these are the account's root credentials, which may do everything",
            remedy,
        )];
    }
    let Some(principal) = principal(clients, &caller.arn).await else {
        let remedy = "Go on; `up` names the action if one is refused.";
        return vec![Check::warning(CHECK, format!("IAM cannot simulate what {} may do", caller.arn), remedy)];
    };
    let place =
        Place { region: &clients.region, caller, environment: environments.first().cloned().unwrap_or_default() };
    let statements =
        match POLICIES.iter().map(|policy| statements(policy, &place)).collect::<serde_json::Result<Vec<_>>>() {
            Ok(statements) => statements.concat(),
            Err(error) => {
                let error = Error::failed("The policies inside this program cannot be read.").cause(error);
                return vec![Check::failed(CHECK, Level::Warning, &error)];
            }
        };
    let simulations = statements.into_iter().map(|statement| denied(clients, &principal, statement));
    let answers = stream::iter(simulations).buffered(AT_ONCE).try_collect::<Vec<_>>();
    match answers.await {
        Ok(denied) => vec![verdict(&denied.concat(), &principal)],
        Err(error) => vec![unread(CHECK, &error)],
    }
}

/// What stands for the `*` of the policies.
struct Place<'a> {
    region: &'a str,
    caller: &'a Caller,
    environment: Environment,
}

impl Place<'_> {
    /// A resource, or the value of a condition, that the pattern allows.
    fn example(&self, pattern: &str) -> String {
        let partition = self.caller.arn.split(':').nth(1).unwrap_or("aws");
        let at = format!(":{}:{}:", self.region, self.caller.account);
        let global = format!("::{}:", self.caller.account);
        pattern
            .replace("arn:aws:", &format!("arn:{partition}:"))
            .replace(":*:*:", &at)
            .replace("::*:", &global)
            .replace("FisStopTaskStack*", &self.environment.stack_name())
            .replace("FisStackECS-Cluster*", &self.environment.cluster_name())
            .replace('*', "0")
    }
}

/// A statement of a policy, as the documents write it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: Texts,
    resource: Texts,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Texts>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    statement: Vec<Statement>,
}

/// One text, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Texts {
    fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }
}

/// Requests to simulate: what the policy's statements are there to allow.
fn statements(policy: &str, place: &Place<'_>) -> serde_json::Result<Vec<Simulation>> {
    let policy: Policy = serde_json::from_str(policy)?;
    let of = |statement: &Statement| Simulation {
        actions: statement.action.all().to_vec(),
        // `*` is what AWS calls the resource of an action that knows none.
        resources: match statement.resource.all() {
            [any] if any == "*" => vec![any.clone()],
            patterns => patterns.iter().map(|pattern| place.example(pattern)).collect(),
        },
        context: statement.condition.iter().flat_map(|(operator, keys)| context(operator, keys, place)).collect(),
    };
    Ok(policy.statement.iter().map(of).collect())
}

/// What the request would say of itself, so that the condition holds.
fn context(operator: &str, keys: &BTreeMap<String, Texts>, place: &Place<'_>) -> Vec<ContextEntry> {
    let is_list = operator.starts_with("ForAnyValue:");
    let entry = |(key, values): (&String, &Texts)| ContextEntry {
        key: key.clone(),
        values: values.all().first().map(|value| place.example(value)).into_iter().collect(),
        is_list,
    };
    keys.iter().map(entry).collect()
}

/// An action that the simulation did not allow.
#[derive(Debug, Clone)]
struct Denied {
    action: String,
    /// The policy has conditions on what only the real request would say.
    depends: bool,
}

fn verdict(denied: &[Denied], principal: &str) -> Check {
    let names = |depends| {
        let of = denied.iter().filter(|denied| denied.depends == depends).map(|denied| denied.action.as_str());
        of.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    let (refused, conditional) = (names(false), names(true));
    if !refused.is_empty() {
        let remedy =
            "Have these actions allowed (docs/permissions.md has the policies), or use another role (`--profile`).";
        return Check::problem(CHECK, format!("{principal} may not {refused}"), remedy);
    }
    if !conditional.is_empty() {
        let remedy = "Go on; `up` names the action if one is refused.";
        return Check::warning(CHECK, format!("whether {principal} may {conditional} depends on the request"), remedy);
    }
    Check::ok(CHECK, format!("{principal} may do what was simulated: setting up, running, taking down"))
}

/// Policies belong to the role, not to the session. A session's ARN lacks the role's path, so IAM is asked.
async fn principal(clients: &Clients, arn: &str) -> Option<String> {
    if let Some((_, session)) = arn.split_once(":assumed-role/") {
        let name = session.split('/').next()?;
        let role = clients.iam.get_role(name).await.ok();
        return Some(role.map_or_else(|| of_session(arn, name), |role| role.arn));
    }
    arn.contains(":user/").then(|| arn.to_owned())
}

/// The ARN of a role without a path.
fn of_session(arn: &str, role: &str) -> String {
    let mut parts = arn.split(':').skip(1);
    let partition = parts.next().unwrap_or("aws");
    let account = parts.nth(2).unwrap_or_default();
    format!("arn:{partition}:iam::{account}:role/{role}")
}

async fn denied(clients: &Clients, principal: &str, simulation: Simulation) -> Result<Vec<Denied>> {
    let results = clients.iam.simulate_principal_policy(principal, &simulation).await;
    let results = results.doing(format_args!("Simulating the policies of {principal}"))?;
    let refused = results.into_iter().filter(|result| !result.is_allowed());
    Ok(refused
        .map(|result| Denied { depends: result.depends_on_the_request(), action: result.eval_action_name })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_simulated_is_what_the_policies_allow_in_this_place() {
        let caller = Caller { arn: "arn:aws-cn:iam::123456789012:user/me".into(), account: "123456789012".into() };
        let place = Place { region: "cn-north-1", caller: &caller, environment: "team".parse().unwrap() };
        let all: Vec<_> = POLICIES.iter().flat_map(|policy| statements(policy, &place).unwrap()).collect();
        let of = |action: &str| all.iter().find(|it| it.actions.iter().any(|name| name == action)).unwrap();
        let run = of("ecs:RunTask");
        assert_eq!(run.resources, ["arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/FisStopTask0"]);
        let cluster = "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/FisStackECS-Cluster-team";
        assert_eq!(run.context[0].values, [cluster]);
        let create = of("ec2:CreateVpc");
        assert!(create.context[0].is_list);
        assert_eq!(create.context[0].values, ["cloudformation.amazonaws.com"]);
        assert_eq!(of("tag:GetResources").resources, ["*"]);
        let resources = all.iter().flat_map(|it| &it.resources);
        assert!(resources.clone().all(|it| it == "*" || !it.contains('*')), "{:?}", resources.collect::<Vec<_>>());
    }

    #[test]
    fn a_session_has_the_policies_of_its_role() {
        let arn = "arn:aws-cn:sts::123456789012:assumed-role/deployer/me@example.com";
        assert_eq!(of_session(arn, "deployer"), "arn:aws-cn:iam::123456789012:role/deployer");
    }

    #[test]
    fn what_depends_on_the_request_is_a_warning_and_a_refusal_a_problem() {
        let denied = |depends| Denied { action: "ecs:RunTask".into(), depends };
        assert_eq!(verdict(&[], "me").level, Level::Ok);
        assert_eq!(verdict(&[denied(true)], "me").level, Level::Warning);
        assert_eq!(verdict(&[denied(true), denied(false)], "me").level, Level::Problem);
    }
}
