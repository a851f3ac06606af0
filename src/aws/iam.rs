//! IAM: the service-linked roles, and what the caller may do.

use std::fmt;

use aws_config::SdkConfig;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::direct::{Answer, Client, Members, Service};

/// IAM's client, of the operations that the deployer needs.
#[derive(Debug, Clone)]
pub(crate) struct Iam(Client);

/// IAM wraps each answer in an element with the operation's name.
#[derive(Debug, Deserialize)]
struct Wrapped<T> {
    #[serde(
        rename = "GetRoleResult",
        alias = "CreateServiceLinkedRoleResult",
        alias = "SimulatePrincipalPolicyResult",
        alias = "ListRolesResult"
    )]
    result: T,
}

/// A list, as IAM writes one.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct List<T> {
    #[serde(default = "Vec::new")]
    member: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleAnswer {
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RolesAnswer {
    #[serde(default)]
    roles: List<RoleName>,
    #[serde(default)]
    is_truncated: bool,
    marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleName {
    role_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Role {
    pub(crate) arn: String,
}

/// A value of a condition key, for a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContextEntry {
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
    /// Whether the key has several values at once (`stringList`).
    pub(crate) is_list: bool,
}

/// What would happen if the principal did these things.
#[derive(Debug, Clone)]
pub(crate) struct Simulation {
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) context: Vec<ContextEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimulationAnswer {
    #[serde(default)]
    evaluation_results: List<Evaluation>,
    #[serde(default)]
    is_truncated: bool,
    marker: Option<String>,
}

/// The outcome for one action.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Evaluation {
    pub(crate) eval_action_name: String,
    /// `allowed`, `explicitDeny`, `implicitDeny`.
    eval_decision: String,
    #[serde(default)]
    missing_context_values: List<String>,
}

impl Evaluation {
    pub(crate) fn is_allowed(&self) -> bool {
        self.eval_decision == "allowed"
    }

    /// The policy has conditions on what only the real request would say.
    pub(crate) fn depends_on_the_request(&self) -> bool {
        !self.missing_context_values.member.is_empty()
    }
}

impl Iam {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(Service::Iam, config))
    }

    pub(crate) async fn get_role(&self, name: &str) -> Answer<Role> {
        let answer: RoleAnswer = self.call("GetRole", &vec![member("RoleName", name)]).await?;
        Ok(answer.role)
    }

    /// Names of all roles of the account.
    pub(crate) async fn list_roles(&self) -> Answer<Vec<String>> {
        let mut members = vec![member("MaxItems", "1000")];
        let mut all = Vec::new();
        loop {
            let page: RolesAnswer = self.call("ListRoles", &members).await?;
            all.extend(page.roles.member.into_iter().map(|role| role.role_name));
            let Some(marker) = page.marker.filter(|_| page.is_truncated) else { return Ok(all) };
            members.truncate(1);
            members.push(member("Marker", &marker));
        }
    }

    pub(crate) async fn create_service_linked_role(&self, service: &str) -> Answer<()> {
        let members = vec![member("AWSServiceName", service)];
        self.call("CreateServiceLinkedRole", &members).await.map(|_: IgnoredAny| ())
    }

    /// All pages.
    pub(crate) async fn simulate_principal_policy(
        &self,
        principal: &str,
        simulation: &Simulation,
    ) -> Answer<Vec<Evaluation>> {
        let mut members = simulation.members(principal);
        let mut all = Vec::new();
        loop {
            let page: SimulationAnswer = self.call("SimulatePrincipalPolicy", &members).await?;
            all.extend(page.evaluation_results.member);
            let Some(marker) = page.marker.filter(|_| page.is_truncated) else { return Ok(all) };
            members.retain(|(key, _)| key != "Marker");
            members.push(member("Marker", &marker));
        }
    }

    async fn call<T>(&self, action: &'static str, members: &Members) -> Answer<T>
    where
        T: DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let answer: Wrapped<T> = self.0.call(action, members).await?;
        Ok(answer.result)
    }
}

impl Simulation {
    fn members(&self, principal: &str) -> Members {
        let mut members = vec![member("PolicySourceArn", principal)];
        members.extend(list("ActionNames", &self.actions));
        members.extend(list("ResourceArns", &self.resources));
        for (entry, number) in self.context.iter().zip(1..) {
            let name = format!("ContextEntries.member.{number}");
            let kind = if entry.is_list { "stringList" } else { "string" };
            members.push(member(&format!("{name}.ContextKeyName"), &entry.key));
            members.push(member(&format!("{name}.ContextKeyType"), kind));
            members.extend(list(&format!("{name}.ContextKeyValues"), &entry.values));
        }
        members
    }
}

fn member(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn list(name: &str, values: &[String]) -> Members {
    values.iter().zip(1..).map(|(value, number)| member(&format!("{name}.member.{number}"), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scripted::Script;

    #[test]
    fn a_simulation_is_a_form() {
        let simulation = Simulation {
            actions: vec!["ecs:RunTask".into(), "ecs:StopTask".into()],
            resources: vec!["*".into()],
            context: vec![ContextEntry { key: "ecs:cluster".into(), values: vec!["c".into()], is_list: false }],
        };
        let form = simulation.members("arn:me").into_iter().map(|(name, value)| format!("{name}={value}"));
        assert_eq!(
            form.collect::<Vec<_>>(),
            [
                "PolicySourceArn=arn:me",
                "ActionNames.member.1=ecs:RunTask",
                "ActionNames.member.2=ecs:StopTask",
                "ResourceArns.member.1=*",
                "ContextEntries.member.1.ContextKeyName=ecs:cluster",
                "ContextEntries.member.1.ContextKeyType=string",
                "ContextEntries.member.1.ContextKeyValues.member.1=c",
            ]
        );
    }

    #[tokio::test]
    async fn an_evaluation_says_what_it_depends_on() {
        let result = |action: &str, decision: &str, missing: &str| {
            format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>\
                 <MissingContextValues>{missing}</MissingContextValues><MatchedStatements/></member>"
            )
        };
        let answer = format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <SimulatePrincipalPolicyResult><EvaluationResults>{}{}</EvaluationResults><IsTruncated>false</IsTruncated>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
            result("a:A", "allowed", ""),
            result("b:B", "implicitDeny", "<member>aws:SourceIp</member>")
        );
        let script = Script::default().answers("SimulatePrincipalPolicy", 200, answer);
        let simulation = Simulation { actions: Vec::new(), resources: Vec::new(), context: Vec::new() };
        let found = script.clients().iam.simulate_principal_policy("arn:me", &simulation).await.unwrap();
        let found: Vec<_> = found.iter().map(|it| (it.is_allowed(), it.depends_on_the_request())).collect();
        assert_eq!(found, [(true, false), (false, true)]);
    }
}
