//! A cluster as a target: its tasks are run in the target's role.

use serde_json::{Value, json};

use super::Scene;
use crate::boto::Boto;
use crate::ecs_lab::Lab;
use crate::harness::{Endpoint, until};

/// Roles that may run the task; may run it, but not pass the task's own roles; and that EventBridge may not assume.
fn roles() -> String {
    let role = |name: &str, service: &str, actions: &[&str]| {
        let trust =
            json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]});
        let policy = json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        json!({"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": name, "AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy}],
        }})
    };
    let all = ["ecs:RunTask", "iam:PassRole", "ecs:TagResource"];
    json!({"Resources": {
        "Runner": role("runner", "events.amazonaws.com", &all),
        "Passless": role("passless", "events.amazonaws.com", &["ecs:RunTask"]),
        "Foreign": role("foreign", "lambda.amazonaws.com", &all),
    }})
    .to_string()
}

struct Tasks {
    scene: Scene,
    lab: Lab,
}

impl Tasks {
    async fn start() -> Self {
        let endpoint = Endpoint::start().await;
        let lab = Lab::new(&endpoint.sdk_config()).await;
        let mut scene = Scene::on(endpoint);
        create_roles(&mut scene.boto).await;
        Self { scene, lab }
    }
}

pub(super) async fn create_roles(boto: &mut Boto) {
    let stack = json!({"StackName": "Roles", "TemplateBody": roles(), "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    boto.call("cloudformation", "CreateStack", &stack).unwrap();
    until("the roles", async || {
        let stacks = boto.call("cloudformation", "DescribeStacks", &json!({"StackName": "Roles"})).unwrap();
        (stacks["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE").then_some(())
    })
    .await;
}

/// A target that runs the lab's task.
pub(super) fn target(lab: &Lab, role: &str) -> Value {
    json!({
        "Id": "run", "Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c",
        "RoleArn": format!("arn:aws:iam::000000000000:role/{role}"),
        "EcsParameters": {
            "TaskDefinitionArn": "job", "LaunchType": "FARGATE", "PropagateTags": "TASK_DEFINITION",
            "Tags": [{"Key": "from", "Value": "rule"}],
            "NetworkConfiguration": {"awsvpcConfiguration": {
                "Subnets": [lab.output("Subnet")], "SecurityGroups": [lab.output("Group")],
            }},
        },
    })
}

/// ARNs of all tasks that a rule has started.
pub(super) async fn started(lab: &Lab) -> Vec<String> {
    let mut arns = Vec::new();
    for desired in ["RUNNING", "STOPPED"] {
        let list = lab.ecs.list_tasks().cluster("c").desired_status(desired.into());
        arns.extend(list.send().await.unwrap().task_arns.unwrap_or_default());
    }
    arns.sort_unstable();
    // One that stopped between the two questions is in both answers.
    arns.dedup();
    arns
}

#[tokio::test]
async fn an_event_starts_a_task() {
    let mut tasks = Tasks::start().await;
    let mut target = target(&tasks.lab, "runner");
    target["InputTransformer"] = json!({
        "InputPathsMap": {"text": "$.detail.text"},
        "InputTemplate": r#"{"containerOverrides": [{"name": "job", "command": ["echo <text>"]}]}"#,
    });
    tasks.scene.rule("my.rule", "my.app", &json!([target]));
    tasks.scene.send(&json!({"text": "from the event"}));
    let arn = until("a task", async || started(&tasks.lab).await.pop()).await;
    let running = tasks.lab.describe(&arn).await;
    assert_eq!(running.started_by(), Some("events-rule/my_rule"));
    let tags: Vec<_> = running.tags().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect();
    // A task that has stopped already has none any more.
    assert!(tags.is_empty() || tags == [("fisTarget", "true"), ("from", "rule")], "{tags:?}");
    tasks.lab.stopped(&arn).await;
    assert_eq!(tasks.lab.log(&arn).await, ["from the event"]);
    assert_eq!(started(&tasks.lab).await.len(), 1);
    tasks.scene.endpoint.stop().await;
}

#[tokio::test]
async fn a_role_that_may_not_run_the_task_runs_none() {
    let mut tasks = Tasks::start().await;
    let dead = tasks.scene.queue("dead");
    let mut targets: Vec<Value> = Vec::new();
    for role in ["passless", "foreign", "runner"] {
        let mut target = target(&tasks.lab, role);
        target["Id"] = json!(role);
        target["DeadLetterConfig"] = json!({"Arn": dead.arn});
        targets.push(target);
    }
    targets[2]["EcsParameters"]["TaskDefinitionArn"] = json!("gone");
    tasks.scene.rule("r", "my.app", &json!(targets));
    tasks.scene.send(&json!({}));
    let letters = tasks.scene.received(&dead, 3).await;
    let mut causes: Vec<(String, String)> =
        letters.iter().map(|letter| (letter.attribute("ERROR_CODE"), letter.attribute("ERROR_MESSAGE"))).collect();
    causes.sort_unstable();
    let wanted = [
        ("FAILED_TO_ASSUME_ROLE", "events.amazonaws.com is not authorized to perform: sts:AssumeRole"),
        ("NO_PERMISSIONS", "is not authorized to perform: iam:PassRole"),
        ("SDK_CLIENT_ERROR", "TaskDefinition not found."),
    ];
    for ((code, message), (wanted_code, words)) in causes.iter().zip(wanted) {
        assert!(code == wanted_code && message.contains(words), "{code}: {message}");
    }
    assert_eq!(started(&tasks.lab).await, Vec::<String>::new());
    tasks.scene.endpoint.stop().await;
}
