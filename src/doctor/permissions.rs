//! What the caller may do, by IAM's own simulation.

use aws_sdk_iam::types::PolicyEvaluationDecisionType;

use super::Check;
use super::identity::{Caller, unread};
use crate::aws::clients::Clients;
use crate::environment::Environment;
use crate::error::{Doing, Result};

/// Something that `up`, `run`, `interrupt` or `down` does, and to what: `{at}` is region and account, `{stack}` and
/// `{cluster}` are the environment's. A resource that a policy may name is asked about by a name that it must allow.
const NEEDED: [(&str, &[&str]); 8] = [
    (
        "*",
        &[
            "cloudformation:DescribeStacks",
            "ecr:GetAuthorizationToken",
            "ecs:ListClusters",
            "ecs:RegisterTaskDefinition",
            "ec2:DescribeNatGateways",
            "ec2:DescribeVpcs",
            "tag:GetResources",
            "dynamodb:ListTables",
        ],
    ),
    (
        "arn:aws:cloudformation:{at}:stack/{stack}/0",
        &[
            "cloudformation:CreateChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DeleteStack",
        ],
    ),
    ("arn:aws:ec2:{at}:vpc/vpc-0", &["ec2:CreateVpc", "ec2:DeleteVpc"]),
    ("arn:aws:ec2:{at}:natgateway/nat-0", &["ec2:CreateNatGateway", "ec2:DeleteNatGateway"]),
    ("arn:aws:ecs:{at}:cluster/{cluster}", &["ecs:CreateCluster", "ecs:DeleteCluster", "ecs:DescribeClusters"]),
    ("arn:aws:ecs:{at}:task/{cluster}/0", &["ecs:DescribeTasks", "ecs:StopTask"]),
    (
        "arn:aws:dynamodb:{at}:table/{stack}-DynamoTable-0",
        &["dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:Query"],
    ),
    ("arn:aws:fis:{at}:experiment/0", &["fis:StartExperiment", "fis:GetExperiment"]),
];

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
    let environment = environments.first().cloned().unwrap_or_default();
    let simulations = NEEDED.iter().map(|(resource, actions)| {
        let resource = resource
            .replace("{at}", &format!("{}:{}", clients.region, caller.account))
            .replace("{stack}", &environment.stack_name())
            .replace("{cluster}", &environment.cluster_name());
        denied(clients, &principal, resource, actions)
    });
    match futures_util::future::try_join_all(simulations).await {
        Ok(denied) => vec![verdict(&denied.concat(), &principal)],
        Err(error) => vec![unread(CHECK, &error)],
    }
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
        of.collect::<Vec<_>>().join(", ")
    };
    let (refused, conditional) = (names(false), names(true));
    if !refused.is_empty() {
        let remedy = "Have these actions allowed, or use another role (`--profile`).";
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
        let role = clients.iam.get_role().role_name(name).send().await.ok().and_then(|answer| answer.role);
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

async fn denied(clients: &Clients, principal: &str, resource: String, actions: &[&str]) -> Result<Vec<Denied>> {
    let request = clients.iam.simulate_principal_policy().policy_source_arn(principal).resource_arns(resource);
    let actions = actions.iter().map(|action| (*action).to_owned()).collect();
    let answer = request.set_action_names(Some(actions)).send().await;
    let answer = answer.doing(format_args!("Simulating the policies of {principal}"))?;
    let refused = answer.evaluation_results().iter();
    let refused = refused.filter(|result| *result.eval_decision() != PolicyEvaluationDecisionType::Allowed);
    Ok(refused
        .map(|result| Denied {
            action: result.eval_action_name().to_owned(),
            depends: !result.missing_context_values().is_empty(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

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
