//! ECS.

use serde_json::{Value, json};

use super::Calls;
use crate::ecs_lab::{IMAGE, Lab};
use crate::harness::until;

pub(super) async fn all(calls: &mut Calls, lab: &Lab) {
    let mut ecs = |operation: &str, input: Value| calls.call("ecs", operation, &input);
    let cluster = ecs("CreateCluster", json!({"clusterName": "all"}));
    let arn = &cluster["cluster"]["clusterArn"];
    ecs("ListClusters", json!({}));
    ecs("DescribeClusters", json!({"clusters": ["all"]}));
    let strategy = json!([{"capacityProvider": "FARGATE", "weight": 1}]);
    ecs(
        "PutClusterCapacityProviders",
        json!({"cluster": "all", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": strategy}),
    );
    ecs("TagResource", json!({"resourceArn": arn, "tags": [{"key": "k", "value": "v"}]}));
    let tags = ecs("ListTagsForResource", json!({"resourceArn": arn}));
    assert_eq!(tags["tags"], json!([{"key": "k", "value": "v"}]));
    ecs("UntagResource", json!({"resourceArn": arn, "tagKeys": ["k"]}));
    let definition = definition(calls, lab);
    task(calls, lab, &definition).await;
    let mut ecs = |operation: &str, input: Value| calls.call("ecs", operation, &input);
    ecs("DeregisterTaskDefinition", json!({"taskDefinition": definition}));
    let deleted = ecs("DeleteTaskDefinitions", json!({"taskDefinitions": [definition]}));
    assert_eq!(deleted["failures"], json!([]));
    ecs("DeleteCluster", json!({"cluster": "all"}));
}

/// Its ARN.
fn definition(calls: &mut Calls, lab: &Lab) -> Value {
    let mut ecs = |operation: &str, input: Value| calls.call("ecs", operation, &input);
    let container = json!({"name": "job", "image": IMAGE, "command": ["sleep 600"]});
    let registered = ecs(
        "RegisterTaskDefinition",
        json!({
            "family": "all", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256",
            "memory": "512", "executionRoleArn": lab.output("ExecutionRole"), "containerDefinitions": [container],
        }),
    );
    ecs("DescribeTaskDefinition", json!({"taskDefinition": "all"}));
    ecs("ListTaskDefinitions", json!({}));
    ecs("ListTaskDefinitionFamilies", json!({}));
    registered["taskDefinition"]["taskDefinitionArn"].clone()
}

async fn task(calls: &mut Calls, lab: &Lab, definition: &Value) {
    let mut ecs = |operation: &str, input: Value| calls.call("ecs", operation, &input);
    let network = json!({"awsvpcConfiguration": {"subnets": [lab.output("Subnet")]}});
    let run = json!({"cluster": "all", "taskDefinition": definition, "networkConfiguration": network});
    let arn = ecs("RunTask", run)["tasks"][0]["taskArn"].take();
    assert_eq!(ecs("ListTasks", json!({"cluster": "all"}))["taskArns"], json!([arn]));
    let mut is = |status: &str| {
        let described = ecs("DescribeTasks", json!({"cluster": "all", "tasks": [arn]}));
        (described["tasks"][0]["lastStatus"] == status).then_some(())
    };
    until("the task runs", async || is("RUNNING")).await;
    calls.call("ecs", "StopTask", &json!({"cluster": "all", "task": arn}));
    let mut ecs = |operation: &str, input: Value| calls.call("ecs", operation, &input);
    until("the task stops", async || {
        let described = ecs("DescribeTasks", json!({"cluster": "all", "tasks": [arn]}));
        (described["tasks"][0]["lastStatus"] == "STOPPED").then_some(())
    })
    .await;
}
