//! The watchdog: the function, and the rules that call it.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sts::error::ProvideErrorMetadata;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clients::Clients;
use super::deployed::Deployed;
use super::direct::{Answer, Client, Service};
use super::stack::Stack;
use super::tasks::Task;
use crate::error::{Doing, Result};

/// Beginning of `startedBy` of the tasks that it starts.
pub(crate) const STARTED_BY: &str = "watchdog/";

/// Code of EventBridge and Lambda for what is not there.
const NONE: &str = "ResourceNotFoundException";

/// EventBridge, of the operations that the deployer needs.
#[derive(Debug, Clone)]
pub(crate) struct Rules(Client);

impl Rules {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(Service::Events, config))
    }

    /// Whether there is a rule of this name.
    pub(crate) async fn has(&self, name: &str) -> Result<bool> {
        let answer = self.0.post::<IgnoredAny>("DescribeRule", "AWSEvents.DescribeRule", &json!({"Name": name})).await;
        is_there(answer, "rule", name)
    }

    /// Names of the rules that start with `prefix` and are switched on.
    pub(crate) async fn enabled(&self, prefix: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let input = json!({"NamePrefix": prefix, "NextToken": next});
            let page = self.0.post::<RulePage>("ListRules", "AWSEvents.ListRules", &input).await;
            let page = page.doing("Listing the rules")?;
            names.extend(page.rules.into_iter().filter(|rule| rule.state == "ENABLED").map(|rule| rule.name));
            next = page.next_token;
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    /// From now on it calls nobody; whether there is such a rule.
    async fn disable(&self, name: &str) -> Result<bool> {
        let answer = self.0.post::<IgnoredAny>("DisableRule", "AWSEvents.DisableRule", &json!({"Name": name})).await;
        is_there(answer, "rule", name)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RulePage {
    rules: Vec<Rule>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    name: String,
    state: String,
}

/// Lambda, of the operations that the deployer needs.
#[derive(Debug, Clone)]
pub(crate) struct Functions(Client);

impl Functions {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(Service::Lambda, config))
    }

    /// Whether there is a function of this name.
    pub(crate) async fn has(&self, name: &str) -> Result<bool> {
        let path = format!("/2015-03-31/functions/{name}/configuration");
        is_there(self.0.get::<IgnoredAny>("GetFunctionConfiguration", path).await, "function", name)
    }

    /// Who may call the function, as a document of IAM; none if there is none, or no function.
    async fn policy(&self, name: &str) -> Result<Option<String>> {
        let path = format!("/2015-03-31/functions/{name}/policy");
        match self.0.get::<PolicyAnswer>("GetPolicy", path).await {
            Err(error) if error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(NONE) => Ok(None),
            answer => answer.doing(format_args!("Reading the policy of {name}")).map(|answer| Some(answer.policy)),
        }
    }

    /// Calls it, and waits for its end; what it answers is of no interest.
    pub(crate) async fn call(&self, name: &str, event: &Value) -> Result<()> {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let answer = self.0.post_to::<IgnoredAny>("Invoke", path, event).await;
        answer.doing(format_args!("Calling the function {name}")).map(drop)
    }

    /// Names of all functions.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut marker = String::new();
        loop {
            let path = format!("/2015-03-31/functions/{marker}");
            let page = self.0.get::<FunctionPage>("ListFunctions", path).await.doing("Listing the functions")?;
            names.extend(page.functions.into_iter().map(|function| function.function_name));
            let Some(next) = page.next_marker.filter(|next| !next.is_empty()) else { return Ok(names) };
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            marker = format!("?Marker={next}");
        }
    }
}

/// A rule that may not call its function: EventBridge tells nobody that it could not.
pub(crate) async fn shut_out<'a>(clients: &Clients, deployed: &'a Deployed) -> Result<Vec<&'a str>> {
    let policy = clients.functions.policy(deployed.watchdog_function()?).await?.unwrap_or_default();
    // The policy names the ARN of each rule that may.
    let may_call = |rule: &str| policy.contains(&format!(":rule/{rule}\""));
    Ok(deployed.watchdog_rules()?.into_iter().filter(|rule| !may_call(rule)).collect())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyAnswer {
    policy: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionPage {
    functions: Vec<Function>,
    next_marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Function {
    function_name: String,
}

fn is_there(answer: Answer<IgnoredAny>, what: &str, name: &str) -> Result<bool> {
    match answer {
        Err(error) if error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(NONE) => Ok(false),
        answer => answer.doing(format_args!("Looking at the {what} {name}")).map(|_| true),
    }
}

/// Sends the watchdog of an environment to sleep, whose tasks are about to be stopped: it would start them again. What is
/// incomplete has none.
pub(crate) async fn send_to_sleep(clients: &Clients, stack: &Stack) -> Result<()> {
    for output in ["WatchdogEventRuleName", "WatchdogScheduleRuleName"] {
        if let Ok(rule) = stack.output(output) {
            clients.rules.disable(rule).await?;
        }
    }
    Ok(())
}

/// What EventBridge tells the watchdog when a task has stopped, as far as it reads it.
pub(crate) fn stopped(cluster: &str, family: &str, container: &str, task: &Task) -> Value {
    json!({
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "detail": {
            "taskArn": task.task_arn,
            "clusterArn": format!("cluster/{cluster}"),
            "group": format!("family:{family}"),
            "lastStatus": task.last_status,
            "version": 99,
            "stoppedAt": task.stopped_at,
            "containers": [{"name": container, "exitCode": task.exit_code}],
        },
    })
}

/// What it is told each minute.
pub(crate) fn minute() -> Value {
    json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})
}

/// What the watchdog has last said of the job, see worker/README.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Said {
    /// `watching`, `waiting`, `restarted`, `gave up`.
    pub(crate) state: String,
    pub(crate) message: String,
    pub(crate) looked_at: String,
}

impl Said {
    /// It waits for a person.
    pub(crate) fn has_given_up(&self) -> bool {
        self.state == "gave up"
    }
}

/// What the watchdog has last said, as long as there is something to tell.
pub(crate) async fn said(clients: &Clients, deployed: &Deployed) -> Result<Option<Said>> {
    let table = deployed.table()?;
    let key = HashMap::from([
        ("BatchId".to_owned(), AttributeValue::S(format!("watchdog#{}", deployed.batch_id()?))),
        ("ItemIndex".to_owned(), AttributeValue::N("0".to_owned())),
    ]);
    let request = clients.dynamodb.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
    let answer = request.send().await.doing(format_args!("Reading the table {table}"));
    let answer = answer.map_err(|error| deployed.without("table", error))?;
    let text = |name: &str| answer.item()?.get(name)?.as_s().ok().cloned();
    Ok(text("State").map(|state| Said {
        state,
        message: text("Message").unwrap_or_default(),
        looked_at: text("LookedAt").unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scripted::Script;

    #[tokio::test(start_paused = true)]
    async fn both_rules_are_switched_off_and_one_that_is_gone_is_no_obstacle() {
        let outputs = [("WatchdogEventRuleName", "E"), ("WatchdogScheduleRuleName", "S")];
        let outputs = outputs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let stack = Stack { outputs, ..Stack::named("FisStopTaskStack") };
        let script = Script::default()
            .refusal("DisableRule", 400, NONE, "Rule E does not exist on EventBus default.")
            .answers("DisableRule", 200, String::new());
        send_to_sleep(&script.clients(), &stack).await.unwrap();
        assert_eq!(script.requests("DisableRule"), [json!({"Name": "E"}), json!({"Name": "S"})]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_that_the_functions_policy_does_not_name_is_shut_out() {
        let get = "GET /2015-03-31/functions/Watchdog/policy";
        let condition = json!({"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-west-1:1:rule/EventRule"}});
        let policy = json!({"Statement": [{"Effect": "Allow", "Condition": condition}]}).to_string();
        let script = Script::default().answer(get, json!({"Policy": policy}));
        let deployed = crate::aws::scripted::deployed();
        assert_eq!(shut_out(&script.clients(), &deployed).await.unwrap(), ["ScheduleRule"]);
        let script = Script::default().refusal(get, 404, NONE, "The resource you requested does not exist.");
        assert_eq!(shut_out(&script.clients(), &deployed).await.unwrap(), ["EventRule", "ScheduleRule"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_not_taken_for_gone() {
        let refused = Script::default().refusal("DescribeRule", 400, "AccessDeniedException", "no");
        assert!(refused.clients().rules.has("E").await.is_err());
        let get = "GET /2015-03-31/functions/F/configuration";
        let gone = Script::default().refusal(get, 404, NONE, "Function not found: F");
        assert!(!gone.clients().functions.has("F").await.unwrap());
    }
}
