//! What a role may do with a queue is what its policies and the queue's say.

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::cloudformation::{settled, status};
use crate::harness::Endpoint;

const TEMPLATE: &str = r#"
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: q, Tags: [{Key: team, Value: blue}]}
  Other:
    Type: AWS::SQS::Queue
    Properties: {QueueName: other}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
                Resource: !GetAtt Queue.Arn
              - Effect: Allow
                Action: ["sqs:GetQueueAttributes"]
                Resource: "*"
                Condition: {StringEquals: {"aws:ResourceTag/team": blue}}
"#;

/// Botocore in the role `worker`.
fn as_worker(endpoint: &Endpoint, boto: &mut Boto) -> Boto {
    let input = json!({"RoleArn": "arn:aws:iam::000000000000:role/worker", "RoleSessionName": "me"});
    let session = boto.call("sts", "AssumeRole", &input).unwrap();
    let text = |name: &str| session["Credentials"][name].as_str().unwrap().to_owned();
    let keys = [
        ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", text("SessionToken")),
    ];
    let others = endpoint.variables().into_iter().filter(|(name, _)| !keys.iter().any(|(key, _)| key == name));
    Boto::start(others.chain(keys.clone()).collect::<Vec<_>>())
}

fn policy(statement: Value) -> Value {
    json!({"Policy": json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()})
}

#[tokio::test]
async fn a_role_may_do_what_its_policies_or_the_queue_s_allow_and_neither_denies() {
    let endpoint = Endpoint::start().await;
    let client = aws_sdk_cloudformation::Client::new(&endpoint.sdk_config());
    let create = client.create_stack().stack_name("s").template_body(TEMPLATE);
    create.capabilities(aws_sdk_cloudformation::types::Capability::CapabilityNamedIam).send().await.unwrap();
    assert_eq!(status(&settled(&client, "s").await), "CREATE_COMPLETE");
    let mut user = Boto::start(endpoint.variables());
    let mut worker = as_worker(&endpoint, &mut user);
    let url = |name: &str| format!("{}/000000000000/{name}", endpoint.url());
    let refused = |worker: &mut Boto, operation: &str, queue: &str, more: Value| {
        let mut input = json!({"QueueUrl": url(queue)});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        worker.call("sqs", operation, &input).err().map(|refusal| {
            assert_eq!(refusal.code, "AccessDenied", "{}", refusal.message);
            refusal.message
        })
    };
    let message = json!({"MessageBody": "m"});
    let why = |action: &str, queue: &str, why: &str| {
        Some(format!(
            "User: arn:aws:sts::000000000000:assumed-role/worker/me is not authorized to perform: {action} on resource: \
             arn:aws:sqs:us-east-1:000000000000:{queue} {why}"
        ))
    };
    let implicit = |action: &str| format!("because no identity-based policy allows the {action} action");
    assert_eq!(refused(&mut worker, "ReceiveMessage", "q", json!({})), None);
    let batch = json!({"Entries": [{"Id": "a", "ReceiptHandle": "x"}]});
    assert_eq!(refused(&mut worker, "DeleteMessageBatch", "q", batch), None, "as one message");
    let missing = why("sqs:SendMessage", "q", &implicit("sqs:SendMessage"));
    assert_eq!(refused(&mut worker, "SendMessage", "q", message.clone()), missing);
    let missing = why("sqs:ReceiveMessage", "other", &implicit("sqs:ReceiveMessage"));
    assert_eq!(refused(&mut worker, "ReceiveMessage", "other", json!({})), missing);
    assert_eq!(refused(&mut worker, "GetQueueAttributes", "q", json!({})), None, "by the tags of the queue");
    assert!(refused(&mut worker, "GetQueueAttributes", "other", json!({})).is_some());

    let mut set = |statement: Value| {
        let attributes = policy(statement);
        user.call("sqs", "SetQueueAttributes", &json!({"QueueUrl": url("q"), "Attributes": attributes})).unwrap();
    };
    let role = "arn:aws:iam::000000000000:role/worker";
    set(json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sqs:SendMessage", "Resource": "*"}));
    assert_eq!(refused(&mut worker, "SendMessage", "q", message.clone()), None);
    let account = json!({"AWS": "000000000000"});
    set(json!({"Effect": "Allow", "Principal": account, "Action": "sqs:SendMessage", "Resource": "*"}));
    assert!(refused(&mut worker, "SendMessage", "q", message.clone()).is_some(), "the account says which of its roles");
    set(json!({"Effect": "Deny", "Principal": account, "Action": "SQS:ReceiveMessage", "Resource": "*"}));
    let denied = why("sqs:ReceiveMessage", "q", "with an explicit deny in a resource-based policy");
    assert_eq!(refused(&mut worker, "ReceiveMessage", "q", json!({})), denied);
    let received = user.call("sqs", "ReceiveMessage", &json!({"QueueUrl": url("q"), "AttributeNames": ["SenderId"]}));
    let sender = received.unwrap()["Messages"][0]["Attributes"]["SenderId"].as_str().unwrap().to_owned();
    assert!(sender.starts_with("AROA") && sender.ends_with(":me"), "{sender}");
}
