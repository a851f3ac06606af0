//! Lambda.

use serde_json::{Value, json};

use super::Calls;
use crate::ecs_lab::IMAGE;

pub(super) async fn all(calls: &mut Calls) {
    let statement =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let trust = json!({"Version": "2012-10-17", "Statement": [statement]});
    let properties = json!({"RoleName": "function", "AssumeRolePolicyDocument": trust});
    let template = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}).to_string();
    let stack = json!({"StackName": "Function", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    calls.call("cloudformation", "CreateStack", &stack);
    calls.stack_is("Function", "CREATE_COMPLETE").await;
    let mut lambda = |operation: &str, input: Value| calls.call("lambda", operation, &input);
    let role = "arn:aws:iam::000000000000:role/function";
    let code = json!({"ImageUri": IMAGE});
    let made =
        lambda("CreateFunction", json!({"FunctionName": "all", "Role": role, "PackageType": "Image", "Code": code}));
    let named = json!({"FunctionName": "all"});
    let with = |more: Value| {
        let mut input = named.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    lambda("GetFunction", named.clone());
    lambda("GetFunctionConfiguration", named.clone());
    assert_eq!(lambda("ListFunctions", json!({}))["Functions"][0]["FunctionName"], "all");
    lambda("UpdateFunctionCode", with(code));
    lambda("UpdateFunctionConfiguration", with(json!({"Timeout": 5})));
    // The program speaks no Runtime API.
    assert_eq!(lambda("Invoke", named.clone())["FunctionError"], "Unhandled");
    let permission =
        json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"});
    lambda("AddPermission", with(permission));
    lambda("GetPolicy", named.clone());
    lambda("RemovePermission", with(json!({"StatementId": "s"})));
    lambda("PutFunctionConcurrency", with(json!({"ReservedConcurrentExecutions": 5})));
    assert_eq!(lambda("GetFunctionConcurrency", named.clone())["ReservedConcurrentExecutions"], 5);
    lambda("DeleteFunctionConcurrency", named.clone());
    lambda("PutFunctionEventInvokeConfig", with(json!({"MaximumRetryAttempts": 1})));
    lambda("UpdateFunctionEventInvokeConfig", with(json!({"MaximumEventAgeInSeconds": 60})));
    lambda("GetFunctionEventInvokeConfig", named.clone());
    lambda("ListFunctionEventInvokeConfigs", named.clone());
    lambda("DeleteFunctionEventInvokeConfig", named.clone());
    let arn = &made["FunctionArn"];
    lambda("TagResource", json!({"Resource": arn, "Tags": {"k": "v"}}));
    assert_eq!(lambda("ListTags", json!({"Resource": arn}))["Tags"], json!({"k": "v"}));
    lambda("UntagResource", json!({"Resource": arn, "TagKeys": ["k"]}));
    lambda("GetAccountSettings", json!({}));
    lambda("DeleteFunction", named);
}
