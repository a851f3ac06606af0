//! AWS as a script, for tests: the real SDK, with answers that were written down instead of a network.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ecs::config::http::{HttpRequest, HttpResponse};
use aws_sdk_ecs::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use serde_json::{Value, json};

use super::clients::Clients;
use super::deployed::Deployed;
use super::stack::Stack;
use super::way_out::Trust;
use crate::environment::Environment;
use crate::target::Target;

/// The answers of each operation, in their order; the last one is given again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, VecDeque<(u16, String)>>,
    requests: Vec<(String, Value)>,
}

impl Script {
    /// The next answer of `operation` (`RunTask`; for FIS `POST /experiments`).
    pub(crate) fn answer(self, operation: &str, body: Value) -> Self {
        self.answers(operation, 200, body.to_string())
    }

    /// The next answer of `operation` is an error of the JSON protocols.
    pub(crate) fn refusal(self, operation: &str, status: u16, code: &str, message: &str) -> Self {
        self.answers(operation, status, json!({"__type": code, "code": code, "message": message}).to_string())
    }

    pub(crate) fn answers(self, operation: &str, status: u16, body: String) -> Self {
        self.0.lock().unwrap().answers.entry(operation.to_owned()).or_default().push_back((status, body));
        self
    }

    /// What was asked of `operation`.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Value> {
        let state = self.0.lock().unwrap();
        state.requests.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }

    /// Clients that play this script, with the paces and limits of AWS.
    pub(crate) fn clients(&self) -> Clients {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Clients::of(Target::Aws, "eu-west-1".to_owned(), &config, Trust::Machine)
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let operation = operation(&request, body);
        let input = serde_json::from_slice(body).unwrap_or(Value::Null);
        let mut state = self.0.lock().unwrap();
        state.requests.push((operation.clone(), input));
        let answers = state.answers.get_mut(&operation).unwrap_or_else(|| panic!("no answer to {operation}"));
        let last = answers.len() == 1;
        let (status, body) = if last { answers[0].clone() } else { answers.pop_front().unwrap() };
        let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
        response.headers_mut().insert("content-type", "application/json");
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn operation(request: &HttpRequest, body: &[u8]) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let text = String::from_utf8_lossy(body);
    if let Some(action) = text.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return action.to_owned();
    }
    let path = request.uri().split("amazonaws.com").nth(1).unwrap_or_default();
    format!("{} {}", request.method(), path.split('?').next().unwrap_or_default())
}

/// The default environment, as its complete stack shows it.
pub(crate) fn deployed() -> Deployed {
    let outputs = [
        ("ClusterName", "FisStackECS-Cluster"),
        ("TableName", "FisStopTaskStack-DynamoTable-X"),
        ("BatchId", "batch"),
        ("BatchSize", "10"),
        ("ItemSeconds", "30"),
        ("ContainerName", "BatchJob"),
        ("SubnetIds", "subnet-1,subnet-2"),
        ("SecurityGroupId", "sg-1"),
        ("ExperimentTemplateId", "EXT1"),
        ("OneTaskExperimentTemplateId", "EXT2"),
        ("OneTaskKillExperimentTemplateId", "EXT4"),
        ("QueueUrl", "https://sqs.eu-west-1.amazonaws.com/123456789012/Queue"),
        ("DeadLetterQueueUrl", "https://sqs.eu-west-1.amazonaws.com/123456789012/DeadLetterQueue"),
        ("WatchdogFunctionName", "Watchdog"),
        ("WatchdogEventRuleName", "EventRule"),
        ("WatchdogScheduleRuleName", "ScheduleRule"),
        ("WatchdogFunctionLogGroupName", "function"),
        ("OriginalTaskDefinitionArn", "arn:aws:ecs:eu-west-1:123456789012:task-definition/FisStopTaskStackTaskDef:1"),
        (
            "ImprovedTaskDefinitionArn",
            "arn:aws:ecs:eu-west-1:123456789012:task-definition/FisStopTaskImprovedStackTaskDef:1",
        ),
        ("OriginalLogGroupName", "original"),
        ("ImprovedLogGroupName", "improved"),
        ("WatchdogLogGroupName", "watchdog"),
        ("QueueLogGroupName", "queue"),
        ("OwnLogGroupName", "own"),
        (
            "WatchdogTaskDefinitionArn",
            "arn:aws:ecs:eu-west-1:123456789012:task-definition/FisStopTaskWatchdogStackTaskDef:1",
        ),
        ("QueueTaskDefinitionArn", "arn:aws:ecs:eu-west-1:123456789012:task-definition/FisStopTaskQueueStackTaskDef:1"),
        ("LogStreamPrefix", "BatchJobEcs/BatchJob"),
    ];
    let outputs = outputs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let stack = Stack { outputs, ..Stack::named("FisStopTaskStack") };
    Deployed::of(Environment::default(), stack)
}

/// A task as DescribeTasks answers it, in the shape of AWS's documentation.
pub(crate) fn task(id: &str, last_status: &str) -> Value {
    let stopped = last_status == "STOPPED";
    json!({
        "taskArn": format!("arn:aws:ecs:eu-west-1:123456789012:task/FisStackECS-Cluster/{id}"),
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/FisStopTaskStackTaskDef:1",
        "lastStatus": last_status,
        "desiredStatus": if stopped { "STOPPED" } else { "RUNNING" },
        "startedAt": 1_616_432_464.025,
        "containers": [{"name": "BatchJob"}],
        "tags": [{"key": "fisTarget", "value": "true"}],
    })
}
