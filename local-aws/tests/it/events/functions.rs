//! A function as a target: it is invoked if its own policy lets the rule.

use serde_json::json;

use super::Scene;
use crate::ecs_lab::Lab;
use crate::harness::{Endpoint, until};
use crate::registry_client::{ARCH, Registry};

/// A runtime for one word of a shell's command line: it writes each event to the log.
const RUNTIME: &str = r#"exec bash -c '
call() { exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}
  printf "$1 /2018-06-01/runtime/invocation/$2 HTTP/1.1\r\nHost: $AWS_LAMBDA_RUNTIME_API\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}" >&3
  tr -d "\r" <&3; exec 3>&-; }
while :; do
  event=$(call GET next)
  id=$(sed -n "s/^lambda-runtime-aws-request-id: //Ip" <<< "$event")
  echo "got $(tail -n 1 <<< "$event")"
  call POST "$id/response" >/dev/null
done'"#;

fn role() -> String {
    let statement =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let logs = json!({"Effect": "Allow", "Resource": "*", "Action": "logs:*"});
    let role = json!({"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": "function", "AssumeRolePolicyDocument": {"Statement": [statement]},
        "Policies": [{"PolicyName": "logs", "PolicyDocument": {"Statement": [logs]}}],
    }});
    json!({"Resources": {"Role": role}}).to_string()
}

#[tokio::test]
async fn a_function_is_invoked_if_its_policy_lets_the_rule() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    Lab::new(&config).await;
    let registry = Registry::new(&config, "function").await;
    registry.push("1", &json!({"Entrypoint": ["/job"], "Cmd": [RUNTIME]}), ARCH).await;
    let mut scene = Scene::on(endpoint);
    let stack = json!({"StackName": "Role", "TemplateBody": role(), "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    scene.boto.call("cloudformation", "CreateStack", &stack).unwrap();
    until("the role", async || {
        let stacks = scene.boto.call("cloudformation", "DescribeStacks", &json!({"StackName": "Role"})).unwrap();
        (stacks["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE").then_some(())
    })
    .await;
    let function = json!({
        "FunctionName": "f", "PackageType": "Image", "Role": "arn:aws:iam::000000000000:role/function",
        "Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/function:1"},
        "Architectures": [if ARCH == "arm64" { "arm64" } else { "x86_64" }],
    });
    let arn = scene.boto.call("lambda", "CreateFunction", &function).unwrap()["FunctionArn"].take();
    let dead = scene.queue("dead");
    let target = json!({"Id": "f", "Arn": arn, "DeadLetterConfig": {"Arn": dead.arn}});
    let rule = scene.rule("r", "my.app", &json!([target]));
    scene.send(&json!({}));
    let letter = scene.received(&dead, 1).await.remove(0);
    assert_eq!(
        [letter.attribute("ERROR_CODE"), letter.attribute("TARGET_ARN")],
        ["NO_PERMISSIONS", arn.as_str().unwrap()]
    );

    let permission = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
        "SourceArn": rule,
    });
    scene.boto.call("lambda", "AddPermission", &permission).unwrap();
    let id = scene.send(&json!({"n": 1}));
    let line = until("the function's log", async || {
        let filter = json!({"logGroupName": "/aws/lambda/f", "filterPattern": "got"});
        let found = scene.boto.call("logs", "FilterLogEvents", &filter).ok()?;
        Some(found["events"].get(0)?["message"].as_str()?.to_owned())
    })
    .await;
    assert!(line.contains(&id) && line.contains(r#""detail":{"n":1}"#), "{line}");
    scene.endpoint.stop().await;
}
