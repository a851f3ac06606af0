//! The gate from outside: what it cuts is cut there, and nobody else notices.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::boto::Boto;
use crate::ecs_lab::{Lab, outputs, wait_for_stack};
use crate::harness::Endpoint;

const TEMPLATE: &str = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: log
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: Id, AttributeType: S}]
      KeySchema: [{AttributeName: Id, KeyType: HASH}]
  Writer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: write
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "dynamodb:*", Resource: "*"}]}
Outputs:
  Writer: {Value: !GetAtt Writer.Arn}
"#;

/// Somebody who writes lines, one after the other.
struct Writer {
    dynamodb: aws_sdk_dynamodb::Client,
    task: String,
}

impl Writer {
    /// With the credentials of a task that does nothing itself.
    async fn task(endpoint: &Endpoint, lab: &Lab, role: &str) -> Self {
        let (config, task) = lab.act_as_task(endpoint, role).await;
        Self { dynamodb: client(&config), task }
    }

    async fn write(&self, line: &str) -> bool {
        let value = AttributeValue::L(vec![AttributeValue::S(line.to_owned())]);
        let request = self.dynamodb.update_item().table_name("log").key("Id", AttributeValue::S("1".to_owned()));
        let request = request.update_expression("SET Said = list_append(if_not_exists(Said, :none), :line)");
        let request = request.expression_attribute_values(":none", AttributeValue::L(Vec::new()));
        request.expression_attribute_values(":line", value).send().await.is_ok()
    }

    /// What has been written.
    async fn lines(&self) -> Vec<String> {
        let get = self.dynamodb.get_item().table_name("log").key("Id", AttributeValue::S("1".to_owned()));
        let item = get.consistent_read(true).send().await.unwrap().item.unwrap_or_default();
        let lines = item.get("Said").and_then(|lines| lines.as_l().ok().cloned()).unwrap_or_default();
        lines.into_iter().map(|line| line.as_s().unwrap().clone()).collect()
    }
}

fn client(config: &aws_config::SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// The endpoint's gate, by the signature and the protocol of AWS's own library.
struct Gate(Boto);

impl Gate {
    fn call(&mut self, operation: &str, input: &Value) -> Value {
        self.0.call("gate", &format!("FisWorkshopGate.{operation}"), input).unwrap()
    }

    fn seen(&mut self) -> Value {
        self.call("DescribeGate", &json!({"cluster": "c"}))
    }
}

async fn stage() -> (Endpoint, Lab, Gate, String, Writer) {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let lab = Lab::new(&config).await;
    let cloudformation = aws_sdk_cloudformation::Client::new(&config);
    let create = cloudformation.create_stack().stack_name("gate").template_body(TEMPLATE);
    create.capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam).send().await.unwrap();
    let role = outputs(&wait_for_stack(&cloudformation, "gate", "CREATE_COMPLETE").await)["Writer"].clone();
    let gate = Gate(Boto::start(endpoint.variables()));
    let user = Writer { dynamodb: client(&config), task: String::new() };
    (endpoint, lab, gate, role, user)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_cut_off_before_the_effect_after_it_and_after_the_answer() {
    let (endpoint, lab, mut gate, role, user) = stage().await;
    let mut written = Vec::new();
    for (cut, has_effect, is_told) in
        [("BEFORE_EFFECT", false, false), ("AFTER_EFFECT", true, false), ("AFTER_ANSWER", true, true)]
    {
        gate.call("PutGate", &json!({"cluster": "c", "turns": [{"task": 1, "requests": 2, "cut": cut}]}));
        let task = Writer::task(&endpoint, &lab, &role).await;
        assert!(task.write(&format!("{cut} 1")).await);
        written.push(format!("{cut} 1"));
        assert_eq!(task.write(&format!("{cut} 2")).await, is_told, "{cut}");
        if has_effect {
            written.push(format!("{cut} 2"));
        }
        // Killed without a chance to answer.
        assert_eq!(lab.stopped(&task.task).await.containers()[0].exit_code(), Some(137), "{cut}");
        assert!(!task.write("a dead task").await);
        assert_eq!(user.lines().await, written);
        let seen = gate.seen();
        let outcomes: Vec<_> = seen["requests"].as_array().unwrap().iter().map(|it| it["outcome"].clone()).collect();
        assert_eq!(outcomes, ["DONE", if has_effect { "DONE" } else { "PREVENTED" }], "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_take_turns_and_nobody_else_is_held() {
    let (endpoint, lab, mut gate, role, user) = stage().await;
    let turns = json!([{"task": 1, "requests": 1}, {"task": 2, "requests": 2}, {"task": 1}]);
    gate.call("PutGate", &json!({"cluster": "c", "turns": turns}));
    let (first, second) = tokio::join!(Writer::task(&endpoint, &lab, &role), Writer::task(&endpoint, &lab, &role));
    assert!(first.write("first 1").await);
    let held = tokio::spawn({
        let writer = Writer { dynamodb: first.dynamodb.clone(), task: first.task.clone() };
        async move { writer.write("first 2").await }
    });
    // A person, and a cluster without a gate, are not asked whose turn it is.
    assert!(user.write("user").await);
    assert!(second.write("second 1").await);
    assert!(!held.is_finished());
    assert!(second.write("second 2").await);
    assert!(held.await.unwrap());
    assert_eq!(user.lines().await, ["first 1", "user", "second 1", "second 2", "first 2"]);
    // Somebody who hangs up while he is held gets nothing done, and the end of a task ends its turn.
    let given_up = tokio::time::timeout(Duration::from_millis(50), second.write("given up")).await;
    assert!(given_up.is_err());
    lab.stop(&first.task).await;
    lab.stopped(&first.task).await;
    assert!(second.write("second 3").await);
    assert_eq!(user.lines().await.last().unwrap(), "second 3");
    let outcomes: Vec<_> = gate.seen()["requests"].as_array().unwrap().iter().map(|it| it["outcome"].clone()).collect();
    assert_eq!(outcomes, ["DONE", "DONE", "DONE", "DONE", "GIVEN_UP", "DONE"]);
    assert_eq!(gate.call("DeleteGate", &json!({"cluster": "c"})), json!({"deleted": true}));
    let refusal = gate.0.call("gate", "FisWorkshopGate.DescribeGate", &json!({"cluster": "c"})).unwrap_err();
    assert_eq!(refusal.code, "ResourceNotFoundException");
}
