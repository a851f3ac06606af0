//! Events that nobody waits for: tried again, handed on, held back.

use local_aws::{Latency, Options};
use serde_json::{Value, json};

use super::stage::{Stage, notes};
use crate::harness::{Endpoint, until};

async fn start_with(options: Options) -> (Endpoint, Stage) {
    let endpoint = Endpoint::start_with(options).await;
    let stage = Stage::new(&endpoint.sdk_config(), endpoint.variables()).await;
    (endpoint, stage)
}

async fn start() -> (Endpoint, Stage) {
    start_with(Options::default()).await
}

fn body(message: &Value) -> Value {
    serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn an_event_is_handled_and_its_answer_handed_on() {
    let (endpoint, stage) = start().await;
    let (url, arn) = stage.queue("done");
    stage.function("f", json!({}));
    let destination = json!({"OnSuccess": {"Destination": arn}});
    stage.lambda("PutFunctionEventInvokeConfig", json!({"FunctionName": "f", "DestinationConfig": destination}));
    let note = endpoint.state_dir().join("note");
    stage.send("f", &json!({"note": note}));
    let record = body(&stage.message(&url).await);
    let ids = notes(&note);
    assert_eq!((ids.len(), record["version"].as_str()), (1, Some("1.0")));
    let context = &record["requestContext"];
    assert_eq!(context["requestId"], *ids[0]);
    assert_eq!(context["functionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST");
    assert_eq!((&context["condition"], &context["approximateInvokeCount"]), (&json!("Success"), &json!(1)));
    assert_eq!(record["requestPayload"], json!({"note": note}));
    assert_eq!(record["responseContext"], json!({"statusCode": 200, "executedVersion": "$LATEST"}));
    assert_eq!(record["responsePayload"]["count"], 1);
}

#[tokio::test]
async fn an_event_that_fails_is_tried_three_times_under_one_id() {
    let (endpoint, stage) = start().await;
    let ((dead_url, dead), (failed_url, failed)) = (stage.queue("dead"), stage.queue("failed"));
    stage.function("f", json!({"DeadLetterConfig": {"TargetArn": dead}}));
    let destination = json!({"OnFailure": {"Destination": failed}});
    stage.lambda("PutFunctionEventInvokeConfig", json!({"FunctionName": "f", "DestinationConfig": destination}));
    let note = endpoint.state_dir().join("note");
    let event = json!({"note": note, "do": "error"});
    stage.send("f", &event);
    let record = body(&stage.message(&failed_url).await);
    let ids = notes(&note);
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let context = &record["requestContext"];
    assert_eq!((&context["condition"], &context["approximateInvokeCount"]), (&json!("RetriesExhausted"), &json!(3)));
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["responsePayload"], json!({"errorType": "Sad", "errorMessage": "boom"}));
    let letter = stage.message(&dead_url).await;
    assert_eq!(body(&letter), event);
    let attribute = |name: &str| letter["MessageAttributes"][name]["StringValue"].clone();
    assert_eq!(attribute("RequestID"), *ids[0]);
    assert_eq!((attribute("ErrorCode"), attribute("ErrorMessage")), (json!("200"), json!("boom")));
    assert_eq!(letter["MessageAttributes"]["ErrorCode"]["DataType"], "Number");
}

#[tokio::test]
async fn as_many_attempts_as_are_asked_for() {
    let (endpoint, stage) = start().await;
    for (attempts, end) in [(0, "exit"), (1, "error")] {
        let (url, arn) = stage.queue(end);
        stage.function(end, json!({"DeadLetterConfig": {"TargetArn": arn}}));
        stage.lambda("PutFunctionEventInvokeConfig", json!({"FunctionName": end, "MaximumRetryAttempts": attempts}));
        let note = endpoint.state_dir().join(end);
        stage.send(end, &json!({"note": note, "do": end, "code": 1}));
        stage.message(&url).await;
        assert_eq!(notes(&note).len(), attempts + 1, "{end}");
    }
}

#[tokio::test]
async fn attempts_wait_as_long_as_on_aws_divided_by_the_speed() {
    let options = Options { latency: Latency::aws(200.0).unwrap(), ..Options::default() };
    let (_endpoint, stage) = start_with(options).await;
    let (url, arn) = stage.queue("dead");
    let made = stage.function("f", json!({"DeadLetterConfig": {"TargetArn": arn}}));
    assert_eq!((&made["State"], &made["StateReasonCode"]), (&json!("Pending"), &json!("Creating")));
    until("it is active", async || {
        let shown = stage.lambda("GetFunctionConfiguration", json!({"FunctionName": "f"}));
        (shown["State"] == "Active").then_some(())
    })
    .await;
    stage.send("f", &json!({"do": "error"}));
    stage.message(&url).await;
    let found = stage.call("logs", "FilterLogEvents", &json!({"logGroupName": "/aws/lambda/f"}));
    let time = |prefix: &str| -> Vec<i64> {
        let events = found["events"].as_array().unwrap().iter();
        let events = events.filter(|event| event["message"].as_str().unwrap().starts_with(prefix));
        events.map(|event| event["timestamp"].as_i64().unwrap()).collect()
    };
    let (starts, ends) = (time("START"), time("END"));
    assert!(starts[1] - ends[0] >= 299 && starts[2] - ends[1] >= 599, "{starts:?} {ends:?}");
}

#[tokio::test]
async fn an_event_waits_for_room() {
    let (endpoint, stage) = start().await;
    stage.function("f", json!({}));
    stage.lambda("PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 0}));
    let note = endpoint.state_dir().join("note");
    for _ in 0..3 {
        stage.send("f", &json!({"note": note}));
    }
    assert_eq!(notes(&note).len(), 0);
    stage.lambda("PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 1}));
    until("all events are handled", async || (notes(&note).len() == 3).then_some(())).await;
    let streams = stage.log("/aws/lambda/f");
    assert_eq!(streams.len(), 1, "one environment at a time: {streams:?}");
}

#[tokio::test]
async fn the_events_of_a_function_go_with_it() {
    let (endpoint, stage) = start().await;
    stage.function("f", json!({}));
    stage.lambda("PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 0}));
    let note = endpoint.state_dir().join("note");
    stage.send("f", &json!({"note": note}));
    stage.lambda("DeleteFunction", json!({"FunctionName": "f"}));
    until("the store holds no event", async || {
        let store = rusqlite::Connection::open(endpoint.state_dir().join("state.db")).unwrap();
        let left: i64 = store.query_row("SELECT count(*) FROM invocation", [], |row| row.get(0)).unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(notes(&note).len(), 0);
}
