//! What the tests of Lambda run functions in: an image, roles, queues.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use serde_json::{Value, json};

use crate::boto::{Boto, Refusal};
use crate::harness::until;
use crate::registry_client::{ARCH, Registry};

/// The machine's architecture, as Lambda writes it.
pub(super) const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

/// The image of the function that does what its event says.
pub(super) const IMAGE: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com/function:1";

const TEMPLATE: &str = r#"{
  "Resources": {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {
      "RoleName": "function",
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
      "Policies": [{"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": "*", "Action": [
          "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"]}]}}]}},
    "SmallRole": {"Type": "AWS::IAM::Role", "Properties": {
      "RoleName": "small",
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
    "Caller": {"Type": "AWS::IAM::Role", "Properties": {
      "RoleName": "caller",
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}]}}},
    "Foreign": {"Type": "AWS::IAM::Role", "Properties": {
      "RoleName": "foreign",
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}
  }
}"#;

pub(super) const ROLE: &str = "arn:aws:iam::000000000000:role/function";
pub(super) const SMALL_ROLE: &str = "arn:aws:iam::000000000000:role/small";
pub(super) const FOREIGN_ROLE: &str = "arn:aws:iam::000000000000:role/foreign";

/// A client, and what there is.
#[derive(Clone)]
pub(super) struct Stage {
    boto: Arc<Mutex<Boto>>,
}

/// The answer of an Invoke.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) whole: Value,
    pub(super) payload: Value,
}

impl Answer {
    pub(super) fn error(&self) -> Option<&str> {
        self.whole["FunctionError"].as_str()
    }

    pub(super) fn error_type(&self) -> &str {
        self.payload["errorType"].as_str().unwrap_or_default()
    }

    pub(super) fn error_message(&self) -> &str {
        self.payload["errorMessage"].as_str().unwrap_or_default()
    }
}

impl Stage {
    /// Sets it up in a new endpoint.
    pub(super) async fn new(config: &SdkConfig, variables: Vec<(&'static str, String)>) -> Self {
        let stage = Self::open(variables);
        push(config, "1").await;
        let input = json!({"StackName": "stage", "TemplateBody": TEMPLATE, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
        stage.call("cloudformation", "CreateStack", &input);
        stage.stack_is("stage", "CREATE_COMPLETE").await;
        stage
    }

    /// Another client of the same endpoint, for calls at the same time.
    pub(super) fn open(variables: Vec<(&'static str, String)>) -> Self {
        Self { boto: Arc::new(Mutex::new(Boto::start(variables))) }
    }

    pub(super) fn ask(&self, service: &str, operation: &str, input: &Value) -> Result<Value, Refusal> {
        self.boto.lock().unwrap().call(service, operation, input)
    }

    pub(super) fn call(&self, service: &str, operation: &str, input: &Value) -> Value {
        self.ask(service, operation, input).unwrap_or_else(|refusal| panic!("{operation} {input}: {refusal:?}"))
    }

    pub(super) fn lambda(&self, operation: &str, input: Value) -> Value {
        self.call("lambda", operation, &input)
    }

    pub(super) fn refused(&self, operation: &str, input: Value) -> Refusal {
        match self.ask("lambda", operation, &input) {
            Ok(answer) => panic!("{operation} {input} is not refused: {answer}"),
            Err(refusal) => refusal,
        }
    }

    pub(super) async fn stack_is(&self, name: &str, status: &str) -> Value {
        until(&format!("{name} {status}"), async || {
            let stacks = self.call("cloudformation", "DescribeStacks", &json!({"StackName": name}));
            let now = stacks["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned();
            let is_over = !now.ends_with("_IN_PROGRESS");
            assert!(!is_over || now == status, "{name} is {now}: {}", self.events(name));
            (now == status).then(|| stacks["Stacks"][0].clone())
        })
        .await
    }

    fn events(&self, name: &str) -> Value {
        self.call("cloudformation", "DescribeStackEvents", &json!({"StackName": name}))
    }

    /// Makes a function of the image with these further settings.
    pub(super) fn function(&self, name: &str, more: Value) -> Value {
        self.lambda("CreateFunction", creation(name, more))
    }

    pub(super) fn invoke(&self, name: &str, event: &Value) -> Answer {
        self.invoke_with(name, event, json!({}))
    }

    pub(super) fn invoke_with(&self, name: &str, event: &Value, more: Value) -> Answer {
        let mut input = json!({"FunctionName": name, "Payload": event.to_string()});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let whole = self.lambda("Invoke", input);
        let text = whole["Payload"].as_str().unwrap_or_default();
        let payload = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        Answer { whole, payload }
    }

    /// Sends an event that nobody waits for.
    pub(super) fn send(&self, name: &str, event: &Value) {
        let sent = self.invoke_with(name, event, json!({"InvocationType": "Event"}));
        assert_eq!(sent.whole["StatusCode"], 202);
    }

    /// All lines in a group, by stream.
    pub(super) fn log(&self, group: &str) -> HashMap<String, Vec<String>> {
        let mut lines: HashMap<String, Vec<String>> = HashMap::new();
        let Ok(found) = self.ask("logs", "FilterLogEvents", &json!({"logGroupName": group})) else { return lines };
        assert!(found["nextToken"].is_null());
        for event in found["events"].as_array().unwrap() {
            let stream = event["logStreamName"].as_str().unwrap().to_owned();
            lines.entry(stream).or_default().push(event["message"].as_str().unwrap().to_owned());
        }
        lines
    }

    /// All lines of a function with one environment.
    pub(super) fn lines(&self, function: &str) -> Vec<String> {
        let streams = self.log(&format!("/aws/lambda/{function}"));
        assert!(streams.len() < 2, "{streams:?}");
        streams.into_values().next().unwrap_or_default()
    }

    /// A new queue; its URL and ARN.
    pub(super) fn queue(&self, name: &str) -> (String, String) {
        let made = self.call("sqs", "CreateQueue", &json!({"QueueName": name}));
        let url = made["QueueUrl"].as_str().unwrap().to_owned();
        (url, format!("arn:aws:sqs:us-east-1:000000000000:{name}"))
    }

    /// The next message of a queue.
    pub(super) async fn message(&self, url: &str) -> Value {
        let input = json!({"QueueUrl": url, "WaitTimeSeconds": 1, "MessageAttributeNames": ["All"]});
        until("a message", async || {
            let mut answer = self.call("sqs", "ReceiveMessage", &input);
            answer["Messages"].as_array_mut().and_then(|messages| messages.pop())
        })
        .await
    }
}

/// The input of CreateFunction.
pub(super) fn creation(name: &str, more: Value) -> Value {
    let mut input = json!({
        "FunctionName": name, "Role": ROLE, "PackageType": "Image", "Code": {"ImageUri": IMAGE},
        "Architectures": [ARCHITECTURE],
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

/// Pushes the image under this tag.
pub(super) async fn push(config: &SdkConfig, tag: &str) {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let python = above.map(|directory| directory.join(".venv/bin/python")).find(|path| path.exists()).unwrap();
    let script = format!("#!{}\n{}# {tag}\n", python.display(), include_str!("function.py"));
    let registry = Registry::new(config, "function").await;
    let manifest = registry.image("function", &script, &json!({"Entrypoint": ["/function"]}), ARCH).await;
    assert_eq!(registry.put_manifest(tag, &manifest).await.status, 201);
}

/// The lines of a file that functions write notes to.
pub(super) fn notes(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
