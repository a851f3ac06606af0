//! From a call on the wire to what IAM asks for: not always one action of the operation's name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::operations;
use super::policy::{Context, Need};
use crate::wire::Call;

const ACCOUNT: &str = "us-east-1:000000000000";

/// Reads calls in their order: a change set is authorized as the stack that it was made for.
#[derive(Default)]
pub(super) struct Needs {
    change_sets: BTreeMap<String, String>,
}

impl Needs {
    /// What the caller has to be allowed to do. Which actions that is, AWS's list says; on which resources, this file.
    pub(super) fn of(&mut self, call: &Call) -> Vec<Need> {
        let needs = self.on_resources(call);
        let asked: BTreeSet<&str> = needs.iter().map(|need| need.action.as_str()).collect();
        assert_eq!(asked, operations::actions(&call.name(), |member| call.has(member)), "{}", call.name());
        needs
    }

    fn on_resources(&mut self, call: &Call) -> Vec<Need> {
        // The service prefix of actions is the signing name, with one exception.
        let service = if call.service == "tagging" { "tag" } else { call.service.as_str() };
        let action = format!("{service}:{}", call.operation);
        let need = |resource: String| Need { action: action.clone(), resource, context: Context::new() };
        match call.service.as_str() {
            "cloudformation" => {
                let stack = self.stack(call);
                let beside = match call.operation.as_str() {
                    "DescribeStacks" if !call.has("StackName") => &["ListStacks"][..],
                    "CreateChangeSet" | "ExecuteChangeSet" => &["TagResource", "UntagResource"],
                    _ => &[],
                };
                let beside =
                    beside.iter().map(|name| Need { action: format!("cloudformation:{name}"), ..need(stack.clone()) });
                beside.chain([need(stack.clone())]).collect()
            }
            "ecs" => ecs(call, &action),
            "fis" => fis(call, &action),
            "dynamodb" => {
                let table = call.input.get("TableName").map(|name| arn("dynamodb", &format!("table/{name}")));
                let table = table.or_else(|| call.input.get("ResourceArn").cloned()).or_else(|| batch_table(call));
                vec![need(table.unwrap_or_else(any))]
            }
            "logs" => {
                let group = call.input.get("logGroupName").map(|name| arn("logs", &format!("log-group:{name}")));
                vec![need(group.unwrap_or_else(any))]
            }
            "ecr" => {
                let repository = call.input.get("repositoryName");
                vec![need(repository.map_or_else(any, |name| arn("ecr", &format!("repository/{name}"))))]
            }
            "sqs" => {
                let name = call.input.get("QueueUrl").or_else(|| call.input.get("QueueName"));
                let name = name.map(|name| name.rsplit('/').next().unwrap_or_default());
                let action = action.trim_end_matches("Batch").to_owned();
                vec![Need { action, ..need(name.map_or_else(any, |name| arn("sqs", name))) }]
            }
            "events" => {
                let rule = call.input.get("Name");
                vec![need(rule.map_or_else(any, |name| arn("events", &format!("rule/{name}"))))]
            }
            "lambda" => {
                let function = call.input.get("FunctionName");
                vec![need(function.map_or_else(any, |name| arn("lambda", &format!("function:{name}"))))]
            }
            // None of the calls of these names a resource that could be narrowed beforehand.
            "ec2" | "iam" | "servicequotas" | "tagging" => vec![need(any())],
            // Needs no permission: AWS answers it even when a policy denies it.
            "sts" if call.operation == "GetCallerIdentity" => Vec::new(),
            other => panic!("{other}:{} is a call whose permission is not known here", call.operation),
        }
    }

    fn stack(&mut self, call: &Call) -> String {
        let name = |id: &str| id.split('/').nth(1).unwrap_or(id).to_owned();
        let set = call.input.get("ChangeSetName").map(|id| name(id));
        let stack = call.input.get("StackName").map(|id| name(id));
        if let (Some(set), Some(stack)) = (&set, &stack) {
            self.change_sets.insert(set.clone(), stack.clone());
        }
        let stack = stack.or_else(|| self.change_sets.get(&set?).cloned());
        stack.map_or_else(any, |stack| arn("cloudformation", &format!("stack/{stack}/0")))
    }
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{ACCOUNT}:{resource}")
}

fn any() -> String {
    "*".to_owned()
}

/// BatchWriteItem names its tables as keys.
fn batch_table(call: &Call) -> Option<String> {
    let items: Value = serde_json::from_str(call.input.get("RequestItems")?).unwrap();
    let name = items.as_object().unwrap().keys().next()?.clone();
    Some(arn("dynamodb", &format!("table/{name}")))
}

fn ecs(call: &Call, action: &str) -> Vec<Need> {
    let cluster = call.input.get("cluster").map(|name| arn("ecs", &format!("cluster/{name}")));
    let context: Context = cluster.into_iter().map(|cluster| ("ecs:cluster", cluster)).collect();
    let need = |action: &str, resource: &str, context: &Context| Need {
        action: action.to_owned(),
        resource: resource.to_owned(),
        context: context.clone(),
    };
    match call.operation.as_str() {
        "RunTask" => {
            let task = arn("ecs", &format!("task/{}/0", call.input["cluster"]));
            let create = Context::from([("ecs:CreateAction", "RunTask".to_owned())]);
            let pass = Context::from([("iam:PassedToService", "ecs-tasks.amazonaws.com".to_owned())]);
            let role = |id: &str| format!("arn:aws:iam::000000000000:role/FisStopTaskStack-{id}-0");
            vec![
                need(action, &call.input["taskDefinition"], &context),
                // Tags that a task gets when it is run, from its definition, too.
                need("ecs:TagResource", &task, &create),
                // The roles that are named in the task definition.
                need("iam:PassRole", &role("ExecutionRole"), &pass),
                need("iam:PassRole", &role("OriginalTaskRole"), &pass),
            ]
        }
        "RegisterTaskDefinition" => {
            let definition = arn("ecs", &format!("task-definition/{}:1", call.input["family"]));
            let create = Context::from([("ecs:CreateAction", "RegisterTaskDefinition".to_owned())]);
            let pass = Context::from([("iam:PassedToService", "ecs-tasks.amazonaws.com".to_owned())]);
            vec![
                need(action, &definition, &context),
                need("ecs:TagResource", &definition, &create),
                need("iam:PassRole", &call.input["executionRoleArn"], &pass),
                need("iam:PassRole", &call.input["taskRoleArn"], &pass),
            ]
        }
        "DescribeTasks" => {
            let tasks: Vec<String> = serde_json::from_str(&call.input["tasks"]).unwrap();
            tasks.iter().map(|task| need(action, task, &context)).collect()
        }
        "StopTask" => vec![need(action, &call.input["task"], &context)],
        _ => vec![need(action, "*", &context)],
    }
}

fn fis(call: &Call, action: &str) -> Vec<Need> {
    // The stack's tag, which CloudFormation hands on to the template.
    let tag = Context::from([("aws:ResourceTag/fis-workshop:environment", "default".to_owned())]);
    let need =
        |resource: String, context: &Context| Need { action: action.to_owned(), resource, context: context.clone() };
    let template = |id: &str| need(arn("fis", &format!("experiment-template/{id}")), &tag);
    let experiment = |id: &str| need(arn("fis", &format!("experiment/{id}")), &Context::new());
    match call.operation.as_str() {
        "GetExperimentTemplate" => vec![template(&call.input["id"])],
        // Asked for twice: the template, and the experiment that it is to become.
        "StartExperiment" => vec![template(&call.input["experimentTemplateId"]), experiment("EXP0")],
        "GetExperiment" | "StopExperiment" | "ListExperimentResolvedTargets" => vec![experiment(&call.input["id"])],
        _ => vec![need(any(), &Context::new())],
    }
}
