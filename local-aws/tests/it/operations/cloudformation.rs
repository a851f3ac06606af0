//! CloudFormation.

use serde_json::{Value, json};

use super::Calls;
use crate::harness::until;

/// A table that `properties` add to, and what fails after it.
fn failing(properties: &serde_json::Value) -> String {
    let mut table = json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
    });
    table.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let table = json!({"Type": "AWS::DynamoDB::Table", "Properties": table});
    let taken =
        json!({"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "exported"}, "DependsOn": "Table"});
    let fails = properties.get("Tags").is_some();
    let resources = if fails { json!({"Table": table, "Taken": taken}) } else { json!({"Table": table}) };
    json!({"Resources": resources}).to_string()
}

pub(super) async fn all(calls: &mut Calls) {
    let group = json!({"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "exported"}});
    let output = json!({"Value": {"Ref": "Group"}, "Export": {"Name": "group"}});
    let owner = json!({"Resources": {"Group": group}, "Outputs": {"Group": output}}).to_string();
    let name = json!({"Fn::Sub": ["${Group}-2", {"Group": {"Fn::ImportValue": "group"}}]});
    let group = json!({"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}});
    let user = json!({"Resources": {"Group": group}}).to_string();
    for operation in ["ValidateTemplate", "GetTemplateSummary"] {
        calls.call("cloudformation", operation, &json!({"TemplateBody": owner}));
    }
    for (name, template) in [("Owner", &owner), ("User", &user)] {
        calls.call("cloudformation", "CreateStack", &json!({"StackName": name, "TemplateBody": template}));
        calls.stack_is(name, "CREATE_COMPLETE").await;
    }
    reads(calls);
    change_sets(calls, &owner).await;
    rollbacks(calls).await;
    let protection = json!({"StackName": "User", "EnableTerminationProtection": false});
    calls.call("cloudformation", "UpdateTerminationProtection", &protection);
    calls.call("cloudformation", "DeleteStack", &json!({"StackName": "User"}));
}

fn reads(calls: &mut Calls) {
    let mut cloudformation = |operation: &str, input: Value| calls.call("cloudformation", operation, &input);
    cloudformation("ListExports", json!({}));
    cloudformation("ListImports", json!({"ExportName": "group"}));
    cloudformation("ListStacks", json!({}));
    for operation in [
        "DescribeEvents",
        "DescribeStackEvents",
        "DescribeStackResources",
        "GetTemplate",
        "ListChangeSets",
        "ListStackResources",
    ] {
        cloudformation(operation, json!({"StackName": "Owner"}));
    }
    let group = json!({"StackName": "Owner", "LogicalResourceId": "Group"});
    cloudformation("DescribeStackResource", group.clone());
    cloudformation("DetectStackResourceDrift", group);
    let detection = cloudformation("DetectStackDrift", json!({"StackName": "Owner"}));
    cloudformation("DescribeStackDriftDetectionStatus", detection);
    cloudformation("DescribeStackResourceDrifts", json!({"StackName": "Owner"}));
}

async fn change_sets(calls: &mut Calls, template: &str) {
    let tag = |value: &str| json!([{"Key": "k", "Value": value}]);
    for (set, last) in [("DeleteIt", "DeleteChangeSet"), ("ExecuteIt", "ExecuteChangeSet")] {
        let input = json!({"StackName": "Owner", "ChangeSetName": set, "TemplateBody": template, "Tags": tag(set)});
        calls.call("cloudformation", "CreateChangeSet", &input);
        let name = json!({"StackName": "Owner", "ChangeSetName": set});
        until(set, async || {
            let answer = calls.call("cloudformation", "DescribeChangeSet", &name);
            (answer["Status"] == "CREATE_COMPLETE").then_some(())
        })
        .await;
        calls.call("cloudformation", last, &name);
    }
    calls.stack_is("Owner", "UPDATE_COMPLETE").await;
}

/// A rollback that fails, because somebody has deleted what it would change back.
async fn rollbacks(calls: &mut Calls) {
    let stack = json!({"StackName": "Rolled"});
    let create = json!({"StackName": "Rolled", "TemplateBody": failing(&json!({}))});
    calls.call("cloudformation", "CreateStack", &create);
    calls.stack_is("Rolled", "CREATE_COMPLETE").await;
    let template = failing(&json!({"Tags": [{"Key": "a", "Value": "b"}]}));
    let update = json!({"StackName": "Rolled", "TemplateBody": template, "DisableRollback": true});
    calls.call("cloudformation", "UpdateStack", &update);
    calls.stack_is("Rolled", "UPDATE_FAILED").await;
    let resource = json!({"StackName": "Rolled", "LogicalResourceId": "Table"});
    let table = calls.call("cloudformation", "DescribeStackResource", &resource);
    let table = json!({"TableName": table["StackResourceDetail"]["PhysicalResourceId"]});
    calls.call("dynamodb", "DeleteTable", &table);
    calls.call("cloudformation", "RollbackStack", &stack);
    calls.stack_is("Rolled", "UPDATE_ROLLBACK_FAILED").await;
    let skip = json!({"StackName": "Rolled", "ResourcesToSkip": ["Table"]});
    calls.call("cloudformation", "ContinueUpdateRollback", &skip);
    calls.stack_is("Rolled", "UPDATE_ROLLBACK_COMPLETE").await;
}
