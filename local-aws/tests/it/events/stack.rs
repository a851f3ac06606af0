//! `AWS::Events::Rule`.

use serde_json::{Value, json};

use super::Scene;
use crate::harness::until;

fn template(properties: &Value) -> String {
    let output = |value: Value| json!({"Value": value});
    json!({
        "Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}},
        "Outputs": {
            "Ref": output(json!({"Ref": "Rule"})),
            "Arn": output(json!({"Fn::GetAtt": ["Rule", "Arn"]})),
            "RuleName": output(json!({"Fn::GetAtt": ["Rule", "RuleName"]})),
        },
    })
    .to_string()
}

impl Scene {
    fn stacks(&mut self, operation: &str, input: &Value) -> Value {
        self.boto.call("cloudformation", operation, input).unwrap()
    }

    /// Waits until the stack is in this state; its outputs: `Ref`, `Arn`, `RuleName`.
    async fn stack_is(&mut self, status: &str) -> [String; 3] {
        let stack = until(&format!("the stack is {status}"), async || {
            let mut stacks = self.stacks("DescribeStacks", &json!({"StackName": "s"}));
            (stacks["Stacks"][0]["StackStatus"] == status).then(|| stacks["Stacks"][0].take())
        })
        .await;
        let outputs = stack["Outputs"].as_array().unwrap();
        ["Ref", "Arn", "RuleName"].map(|key| {
            let output = outputs.iter().find(|output| output["OutputKey"] == key).unwrap();
            output["OutputValue"].as_str().unwrap().to_owned()
        })
    }
}

#[tokio::test]
async fn a_rule_comes_changes_and_goes_with_its_stack() {
    let mut scene = Scene::start().await;
    let cluster = "arn:aws:ecs:us-east-1:000000000000:cluster/c";
    let mut properties = json!({
        "EventPattern": {"source": ["aws.ecs"], "detail": {"containers": {"exitCode": [{"anything-but": 0}]}}},
        "Targets": [{
            "Id": "run", "Arn": cluster, "RoleArn": "arn:aws:iam::000000000000:role/r",
            "RetryPolicy": {"MaximumRetryAttempts": 3},
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"},
            "EcsParameters": {
                "TaskDefinitionArn": "job", "TaskCount": 2, "PropagateTags": "TASK_DEFINITION",
                "TagList": [{"Key": "k", "Value": "v"}],
                "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}],
                "NetworkConfiguration": {"AwsVpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "DISABLED"}},
            },
        }],
        "Tags": [{"Key": "own", "Value": "1"}],
    });
    let body = template(&properties);
    scene.stacks(
        "CreateStack",
        &json!({"StackName": "s", "TemplateBody": body, "Tags": [{"Key": "of", "Value": "stack"}]}),
    );
    let [name, arn, rule_name] = scene.stack_is("CREATE_COMPLETE").await;
    assert!(name.starts_with("s-Rule-"), "{name}");
    assert_eq!((arn.clone(), rule_name), (format!("arn:aws:events:us-east-1:000000000000:rule/{name}"), name.clone()));
    let rule = scene.events("DescribeRule", &json!({"Name": name}));
    assert_eq!(rule["EventPattern"], properties["EventPattern"].to_string());
    let target = &scene.events("ListTargetsByRule", &json!({"Rule": name}))["Targets"][0];
    assert_eq!(target["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]["Subnets"], json!(["subnet-1"]));
    assert_eq!(target["EcsParameters"]["Tags"], json!([{"Key": "k", "Value": "v"}]));
    assert_eq!(target["EcsParameters"]["CapacityProviderStrategy"][0]["capacityProvider"], "FARGATE");
    let tags = scene.events("ListTagsForResource", &json!({"ResourceARN": arn}))["Tags"].to_string();
    for part in [r#""own""#, r#""of""#, "aws:cloudformation:stack-id"] {
        assert!(tags.contains(part), "{tags}");
    }

    // What somebody changes is seen.
    let drift = json!({"StackName": "s", "LogicalResourceId": "Rule"});
    let status = |scene: &mut Scene| scene.stacks("DetectStackResourceDrift", &drift)["StackResourceDrift"].take();
    assert_eq!(status(&mut scene)["StackResourceDriftStatus"], "IN_SYNC");
    scene.events("RemoveTargets", &json!({"Rule": name, "Ids": ["run"]}));
    assert_eq!(status(&mut scene)["StackResourceDriftStatus"], "MODIFIED");

    properties["State"] = json!("DISABLED");
    properties["Targets"] =
        json!([{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:q", "InputPath": "$.detail"}]);
    scene.stacks("UpdateStack", &json!({"StackName": "s", "TemplateBody": template(&properties)}));
    assert_eq!(scene.stack_is("UPDATE_COMPLETE").await[0], name);
    assert_eq!(scene.events("DescribeRule", &json!({"Name": name}))["State"], "DISABLED");
    let targets = scene.events("ListTargetsByRule", &json!({"Rule": name}))["Targets"].take();
    assert_eq!(targets, properties["Targets"]);

    // Another name is another rule.
    properties["Name"] = json!("named");
    scene.stacks("UpdateStack", &json!({"StackName": "s", "TemplateBody": template(&properties)}));
    until("the other rule", async || (scene.stack_is("UPDATE_COMPLETE").await[0] == "named").then_some(())).await;
    let refusal = scene.refused("DescribeRule", &json!({"Name": name}));
    assert!(refusal.starts_with("ResourceNotFoundException"), "{refusal}");

    scene.stacks("DeleteStack", &json!({"StackName": "s"}));
    until("the rule is gone", async || {
        let rules = scene.events("ListRules", &json!({}));
        (rules["Rules"] == json!([])).then_some(())
    })
    .await;
    scene.endpoint.stop().await;
}

#[tokio::test]
async fn what_is_not_done_of_a_rule_is_refused_by_its_name() {
    let mut scene = Scene::start().await;
    let with = |target: Value| json!({"EventPattern": {"source": ["a"]}, "Targets": [target]});
    let arn = "arn:aws:sqs:us-east-1:000000000000:q";
    let parameters = json!({"Id": "a", "Arn": arn, "SqsParameters": {"MessageGroupId": "g"}});
    let body = template(&with(parameters));
    let refusal = scene.boto.call("cloudformation", "CreateStack", &json!({"StackName": "s", "TemplateBody": body}));
    let refusal = refusal.unwrap_err().message;
    assert!(refusal.contains("SqsParameters"), "{refusal}");
    for unknown in ["AWS::EventsV2::Subscriber", "AWS::Events::EventBus", "AWS::Scheduler::Schedule"] {
        let body = json!({"Resources": {"R": {"Type": unknown}}}).to_string();
        let refusal =
            scene.boto.call("cloudformation", "CreateStack", &json!({"StackName": "s", "TemplateBody": body}));
        let refusal = refusal.unwrap_err().message;
        assert!(refusal.contains(unknown), "{refusal}");
    }
    scene.endpoint.stop().await;
}
