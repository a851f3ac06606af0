//! Queues of CloudFormation.

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::cloudformation::{resources, settled, status, story};
use crate::harness::Endpoint;

const TEMPLATE: &str = r#"
Parameters: {Visibility: {Type: Number, Default: 60}, Name: {Type: String, Default: work}}
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Ref Name
      VisibilityTimeout: !Ref Visibility
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: "3"}
      Tags: [{Key: team, Value: blue}]
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Dead]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: "sqs:SendMessage"
            Resource: !GetAtt Dead.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/r"}}
Outputs:
  Url: {Value: !Ref Work}
  Arn: {Value: !GetAtt Work.Arn}
  Name: {Value: !GetAtt Work.QueueName}
  Same: {Value: !GetAtt Work.QueueUrl}
  Dead: {Value: !Ref Dead}
"#;

struct Lab {
    endpoint: Endpoint,
    client: aws_sdk_cloudformation::Client,
    boto: Boto,
}

impl Lab {
    async fn new() -> Self {
        let endpoint = Endpoint::start().await;
        let client = aws_sdk_cloudformation::Client::new(&endpoint.sdk_config());
        let boto = Boto::start(endpoint.variables());
        let create = client.create_stack().stack_name("s").template_body(TEMPLATE);
        let tag = aws_sdk_cloudformation::types::Tag::builder().key("stage").value("test").build();
        create.tags(tag).send().await.unwrap();
        let lab = Self { endpoint, client, boto };
        assert_eq!(lab.settled().await, "CREATE_COMPLETE", "{:?}", story(&lab.client, "s").await);
        lab
    }

    async fn settled(&self) -> String {
        status(&settled(&self.client, "s").await).to_owned()
    }

    async fn outputs(&self) -> std::collections::HashMap<String, String> {
        crate::ecs_lab::outputs(&settled(&self.client, "s").await)
    }

    fn sqs(&mut self, operation: &str, input: &Value) -> Value {
        self.boto.call("sqs", operation, input).unwrap()
    }

    fn attributes(&mut self, url: &str) -> Value {
        self.sqs("GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["All"]}))["Attributes"].take()
    }

    async fn update(&mut self, parameter: &str, value: &str) {
        let input = json!({"StackName": "s", "TemplateBody": TEMPLATE,
            "Parameters": [{"ParameterKey": parameter, "ParameterValue": value}]});
        self.boto.call("cloudformation", "UpdateStack", &input).unwrap();
        assert_eq!(self.settled().await, "UPDATE_COMPLETE", "{:?}", story(&self.client, "s").await);
    }

    /// Where a resource is not as it was declared.
    fn drift(&mut self, logical_id: &str) -> Value {
        let input = json!({"StackName": "s", "LogicalResourceId": logical_id});
        self.boto.call("cloudformation", "DetectStackResourceDrift", &input).unwrap()["StackResourceDrift"].take()
    }
}

#[tokio::test]
async fn a_stack_s_queues_come_change_and_go() {
    let mut lab = Lab::new().await;
    let outputs = lab.outputs().await;
    let url = format!("{}/000000000000/work", lab.endpoint.url());
    assert_eq!((&outputs["Url"], &outputs["Same"], outputs["Name"].as_str()), (&url, &url, "work"));
    assert_eq!(outputs["Arn"], "arn:aws:sqs:us-east-1:000000000000:work");
    let dead_name = outputs["Dead"].rsplit('/').next().unwrap();
    assert!(dead_name.starts_with("s-Dead-"), "{dead_name}");
    let attributes = lab.attributes(&url);
    assert_eq!(attributes["VisibilityTimeout"], "60");
    let redrive =
        format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{dead_name}","maxReceiveCount":3}}"#);
    assert_eq!(attributes["RedrivePolicy"], redrive);
    // Without CloudFormation's own.
    let tags = lab.sqs("ListQueueTags", &json!({"QueueUrl": url}))["Tags"].take();
    assert_eq!(tags, json!({"team": "blue", "stage": "test"}));
    assert!(lab.attributes(&outputs["Dead"])["Policy"].as_str().unwrap().contains("rule/r"));

    lab.sqs("SendMessage", &json!({"QueueUrl": url, "MessageBody": "stays"}));
    lab.update("Visibility", "90").await;
    let attributes = lab.attributes(&url);
    assert_eq!(
        (&attributes["VisibilityTimeout"], &attributes["ApproximateNumberOfMessages"]),
        (&json!("90"), &json!("1"))
    );
    lab.update("Name", "other").await;
    let outputs = lab.outputs().await;
    assert!(outputs["Url"].ends_with("/other"), "{outputs:?}");
    assert_eq!(lab.sqs("ListQueues", &json!({"QueueNamePrefix": "work"})), json!({}), "the old one is gone");

    lab.boto.call("cloudformation", "DeleteStack", &json!({"StackName": "s"})).unwrap();
    crate::harness::until("the queues are gone", async || {
        (lab.sqs("ListQueues", &json!({})) == json!({})).then_some(())
    })
    .await;
}

#[tokio::test]
async fn drift_of_queues_and_their_policies_is_found() {
    let mut lab = Lab::new().await;
    for logical_id in ["Work", "Dead", "Policy"] {
        let drift = lab.drift(logical_id);
        assert_eq!(drift["StackResourceDriftStatus"], "IN_SYNC", "{drift:#}");
    }
    let ids = resources(&lab.client, "s").await;
    let set = |queue: &str, name: &str, value: &str| json!({"QueueUrl": ids[queue], "Attributes": {name: value}});
    let other = r#"{"deadLetterTargetArn": "DEAD", "maxReceiveCount": 4}"#;
    let other = other.replace("DEAD", lab.attributes(&ids["Dead"])["QueueArn"].as_str().unwrap());
    lab.sqs("SetQueueAttributes", &set("Work", "RedrivePolicy", &other));
    lab.sqs("SetQueueAttributes", &set("Work", "VisibilityTimeout", "1"));
    lab.sqs("TagQueue", &json!({"QueueUrl": ids["Work"], "Tags": {"team": "red", "owner": "somebody"}}));
    let drift = lab.drift("Work");
    let differences = drift["PropertyDifferences"].as_array().unwrap().iter();
    let paths: Vec<&str> = differences.map(|it| it["PropertyPath"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/RedrivePolicy/maxReceiveCount", "/Tags/0/Value", "/VisibilityTimeout"], "{drift:#}");
    let open = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    lab.sqs("SetQueueAttributes", &set("Dead", "Policy", open));
    assert_eq!(lab.drift("Dead")["StackResourceDriftStatus"], "IN_SYNC", "another resource's");
    assert_eq!(lab.drift("Policy")["StackResourceDriftStatus"], "MODIFIED");
    lab.sqs("SetQueueAttributes", &set("Dead", "Policy", ""));
    assert_eq!(lab.drift("Policy")["StackResourceDriftStatus"], "DELETED");
    lab.sqs("DeleteQueue", &json!({"QueueUrl": ids["Work"]}));
    assert_eq!(lab.drift("Work")["StackResourceDriftStatus"], "DELETED");
}
