//! SQS.

use serde_json::{Value, json};

use super::Calls;
use crate::harness::until;

pub(super) async fn all(calls: &mut Calls) {
    let mut sqs = |operation: &str, input: Value| calls.call("sqs", operation, &input);
    let dead = sqs("CreateQueue", json!({"QueueName": "dead"}))["QueueUrl"].take();
    let asked = json!({"QueueUrl": dead, "AttributeNames": ["QueueArn"]});
    let dead_arn = sqs("GetQueueAttributes", asked)["Attributes"]["QueueArn"].take();
    let redrive = json!({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "1"}).to_string();
    let url = sqs("CreateQueue", json!({"QueueName": "q", "tags": {"k": "v"}}))["QueueUrl"].take();
    sqs("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": redrive}}));
    assert_eq!(sqs("GetQueueUrl", json!({"QueueName": "q"}))["QueueUrl"], url);
    assert_eq!(sqs("ListQueues", json!({}))["QueueUrls"], json!([dead, url]));
    assert_eq!(sqs("ListDeadLetterSourceQueues", json!({"QueueUrl": dead}))["queueUrls"], json!([url]));
    sqs("TagQueue", json!({"QueueUrl": url, "Tags": {"l": "w"}}));
    sqs("UntagQueue", json!({"QueueUrl": url, "TagKeys": ["k"]}));
    assert_eq!(sqs("ListQueueTags", json!({"QueueUrl": url}))["Tags"], json!({"l": "w"}));

    sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": "one"}));
    let two = json!([{"Id": "two", "MessageBody": "two"}]);
    assert_eq!(sqs("SendMessageBatch", json!({"QueueUrl": url, "Entries": two}))["Successful"][0]["Id"], "two");
    let ten = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
    let received = sqs("ReceiveMessage", ten.clone());
    let handle = |place: usize| received["Messages"][place]["ReceiptHandle"].clone();
    assert_eq!(received["Messages"][1]["Body"], "two");
    sqs("ChangeMessageVisibility", json!({"QueueUrl": url, "ReceiptHandle": handle(0), "VisibilityTimeout": 0}));
    let entry = json!({"Id": "a", "ReceiptHandle": handle(1), "VisibilityTimeout": 60});
    sqs("ChangeMessageVisibilityBatch", json!({"QueueUrl": url, "Entries": [entry]}));
    let entry = json!({"Id": "a", "ReceiptHandle": handle(1)});
    sqs("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": [entry]}));

    // Once was often enough: the first of them is a dead letter now, and goes back.
    assert_eq!(sqs("ReceiveMessage", ten.clone()), json!({}));
    let task = sqs("StartMessageMoveTask", json!({"SourceArn": dead_arn}))["TaskHandle"].take();
    until("the message is back", async || {
        let tasks = sqs("ListMessageMoveTasks", json!({"SourceArn": dead_arn}));
        (tasks["Results"][0]["Status"] == "COMPLETED").then_some(())
    })
    .await;
    let received = sqs("ReceiveMessage", ten);
    assert_eq!(received["Messages"][0]["Body"], "one", "{task}");
    sqs("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": received["Messages"][0]["ReceiptHandle"]}));
    let letters: Vec<Value> = (0..10).map(|it| json!({"Id": it.to_string(), "MessageBody": "dead"})).collect();
    sqs("SendMessageBatch", json!({"QueueUrl": dead, "Entries": letters}));
    let slowly =
        json!({"SourceArn": dead_arn, "DestinationArn": arn_of(&dead_arn, "q"), "MaxNumberOfMessagesPerSecond": 1});
    let task = sqs("StartMessageMoveTask", slowly)["TaskHandle"].take();
    sqs("CancelMessageMoveTask", json!({"TaskHandle": task}));
    sqs("PurgeQueue", json!({"QueueUrl": dead}));
    for queue in [url, dead] {
        sqs("DeleteQueue", json!({"QueueUrl": queue}));
    }
}

fn arn_of(other: &Value, name: &str) -> String {
    let (before, _) = other.as_str().unwrap().rsplit_once(':').unwrap();
    format!("{before}:{name}")
}
