//! Functions by CloudFormation.

use serde_json::{Value, json};

use super::invocations::is_alive;
use super::stage::{ARCHITECTURE, IMAGE, ROLE, Stage};
use crate::harness::{Endpoint, until};

fn template(properties: &Value) -> String {
    let mut function = json!({
        "PackageType": "Image", "Code": {"ImageUri": IMAGE}, "Role": ROLE, "Architectures": [ARCHITECTURE],
        "Tags": [{"Key": "own", "Value": "1"}],
    });
    function.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let resources = json!({
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": {
            "FunctionName": {"Ref": "Function"}, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
            "SourceArn": "arn:aws:events:us-east-1:000000000000:rule/r"}},
        "Events": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {
            "FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 0}},
    });
    let outputs = json!({
        "Name": {"Value": {"Ref": "Function"}}, "Arn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}},
        "Events": {"Value": {"Ref": "Events"}}, "Permission": {"Value": {"Fn::GetAtt": ["Permission", "Id"]}},
    });
    json!({"Resources": resources, "Outputs": outputs}).to_string()
}

fn output(stack: &Value, key: &str) -> String {
    let outputs = stack["Outputs"].as_array().unwrap();
    let output = outputs.iter().find(|output| output["OutputKey"] == key).unwrap();
    output["OutputValue"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stack_makes_changes_replaces_and_deletes_a_function() {
    let endpoint = Endpoint::start().await;
    let stage = Stage::new(&endpoint.sdk_config(), endpoint.variables()).await;
    let input = |properties: Value| json!({"StackName": "s", "TemplateBody": template(&properties)});
    let variables = |value: Value| json!({"Environment": {"Variables": {"COLOUR": value}}});
    stage.call("cloudformation", "CreateStack", &input(variables(json!(7))));
    let stack = stage.stack_is("s", "CREATE_COMPLETE").await;
    let name = output(&stack, "Name");
    assert!(name.starts_with("s-Function-"), "{name}");
    assert_eq!(output(&stack, "Arn"), format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"));
    assert_eq!(output(&stack, "Events"), format!("{name}|$LATEST"));
    let policy = stage.lambda("GetPolicy", json!({"FunctionName": name}))["Policy"].to_string();
    assert!(policy.contains(&output(&stack, "Permission")), "{policy}");
    assert_eq!(stage.invoke(&name, &json!({"do": "environment"})).payload["COLOUR"], "7");
    let tags = stage.lambda("GetFunction", json!({"FunctionName": name}))["Tags"].take();
    assert_eq!((&tags["own"], &tags["aws:cloudformation:logical-id"]), (&json!("1"), &json!("Function")));

    stage.call("cloudformation", "UpdateStack", &input(variables(json!("red"))));
    let stack = stage.stack_is("s", "UPDATE_COMPLETE").await;
    assert_eq!(output(&stack, "Name"), name);
    assert_eq!(stage.invoke(&name, &json!({"do": "environment"})).payload["COLOUR"], "red");

    for logical_id in ["Function", "Permission", "Events"] {
        let input = json!({"StackName": "s", "LogicalResourceId": logical_id});
        let drift = stage.call("cloudformation", "DetectStackResourceDrift", &input);
        assert_eq!(drift["StackResourceDrift"]["StackResourceDriftStatus"], "IN_SYNC", "{drift}");
    }
    stage.lambda("UpdateFunctionConfiguration", json!({"FunctionName": name, "Environment": {"Variables": {}}}));
    let input_of = |logical_id: &str| json!({"StackName": "s", "LogicalResourceId": logical_id});
    let drift = stage.call("cloudformation", "DetectStackResourceDrift", &input_of("Function"));
    assert_eq!(drift["StackResourceDrift"]["StackResourceDriftStatus"], "MODIFIED", "{drift}");

    stage.call("cloudformation", "UpdateStack", &input(json!({"FunctionName": "named"})));
    let stack = stage.stack_is("s", "UPDATE_COMPLETE").await;
    assert_eq!(output(&stack, "Name"), "named");
    assert_eq!(stage.refused("GetFunction", json!({"FunctionName": name})).code, "ResourceNotFoundException");
    let pid = stage.invoke("named", &json!({})).payload["pid"].as_i64().unwrap();

    stage.call("cloudformation", "DeleteStack", &json!({"StackName": "s"}));
    until("the function is gone", async || {
        stage.ask("lambda", "GetFunction", &json!({"FunctionName": "named"})).is_err().then_some(())
    })
    .await;
    until("its process has ended", async || (!is_alive(pid)).then_some(())).await;
}

#[tokio::test]
async fn what_cannot_be_made_fails_the_stack() {
    let endpoint = Endpoint::start().await;
    let stage = Stage::new(&endpoint.sdk_config(), endpoint.variables()).await;
    let zip = template(&json!({"Code": {"ZipFile": "exports.handler = 1"}}));
    let refusal = stage.ask("cloudformation", "CreateStack", &json!({"StackName": "zip", "TemplateBody": zip}));
    let refusal = refusal.unwrap_err().message;
    assert!(refusal.contains("ZipFile"), "{refusal}");
    let missing = template(&json!({"Code": {"ImageUri": IMAGE.replace(":1", ":9")}}));
    let input = json!({"StackName": "missing", "TemplateBody": missing, "DisableRollback": true});
    stage.call("cloudformation", "CreateStack", &input);
    stage.stack_is("missing", "CREATE_FAILED").await;
    let events = stage.call("cloudformation", "DescribeStackEvents", &json!({"StackName": "missing"})).to_string();
    assert!(events.contains("does not exist. Provide a valid source image."), "{events}");
}
