//! From an event to a queue, and what becomes of it when the queue does not take it.

use std::num::NonZeroU32;
use std::time::Duration;

use local_aws::{Deliveries, Options};
use serde_json::{Value, json};

use super::Scene;
use crate::harness::Endpoint;

#[tokio::test]
async fn a_queue_gets_the_event_or_what_its_target_makes_of_it() {
    let mut scene = Scene::start().await;
    let queues: Vec<_> = ["whole", "constant", "part", "made"].map(|name| scene.queue(name)).into();
    let target = |number: usize, more: Value| {
        let mut target = json!({"Id": number.to_string(), "Arn": queues[number].arn});
        target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        target
    };
    let transformer = json!({
        "InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": r#"{"rule": <aws.events.rule-name>, "n": <n>}"#,
    });
    let targets = json!([
        target(0, json!({})),
        target(1, json!({"Input": "[1, 2]"})),
        target(2, json!({"InputPath": "$.detail"})),
        target(3, json!({"InputTransformer": transformer})),
    ]);
    scene.rule("r", "my.app", &targets);
    scene.rule("other", "another.app", &json!([target(0, json!({}))]));
    let entry = json!({
        "Source": "my.app", "DetailType": "t", "Detail": r#"{"n": 7, "a": "b"}"#, "Resources": ["arn:x"],
        "Time": 1_700_000_000,
    });
    let id = scene.events("PutEvents", &json!({"Entries": [entry]}))["Entries"][0]["EventId"].take();
    let whole = scene.received(&queues[0], 1).await.remove(0);
    let id = id.as_str().unwrap();
    assert_eq!(
        whole.body,
        format!(
            r#"{{"version":"0","id":"{id}","detail-type":"t","source":"my.app","account":"000000000000","time":"2023-11-14T22:13:20Z","region":"us-east-1","resources":["arn:x"],"detail":{{"a":"b","n":7}}}}"#
        )
    );
    assert_eq!(scene.received(&queues[1], 1).await[0].body, "[1, 2]");
    assert_eq!(scene.received(&queues[2], 1).await[0].json(), json!({"a": "b", "n": 7}));
    assert_eq!(scene.received(&queues[3], 1).await[0].json(), json!({"rule": "r", "n": 7}));
    // A rule that is disabled is for no event; what was sent before is not delivered later.
    scene.events("DisableRule", &json!({"Name": "r"}));
    scene.send(&json!({}));
    scene.events("EnableRule", &json!({"Name": "r"}));
    let next = scene.send(&json!({}));
    assert_eq!(scene.received(&queues[0], 1).await[0].json()["id"], next.as_str());
    scene.endpoint.stop().await;
}

#[tokio::test]
async fn what_a_target_may_not_get_goes_to_the_dead_letter_queue() {
    let mut scene = Scene::start().await;
    let (closed, dead) = (scene.queue("closed"), scene.queue("dead"));
    let attributes = json!({"QueueUrl": closed.url, "Attributes": {"Policy": ""}});
    scene.boto.call("sqs", "SetQueueAttributes", &attributes).unwrap();
    let gone = "arn:aws:sqs:us-east-1:000000000000:gone";
    let dead_letters = json!({"Arn": dead.arn});
    let targets = json!([
        {"Id": "closed", "Arn": closed.arn, "DeadLetterConfig": dead_letters},
        {"Id": "gone", "Arn": gone, "DeadLetterConfig": dead_letters, "Input": "{}"},
        {"Id": "dropped", "Arn": gone},
    ]);
    let rule = scene.rule("r", "my.app", &targets);
    let id = scene.send(&json!({"n": 1}));
    let mut letters = scene.received(&dead, 2).await;
    letters.sort_by_key(|letter| letter.attribute("ERROR_CODE"));
    for (letter, code, target) in
        [(&letters[0], "NO_PERMISSIONS", closed.arn.as_str()), (&letters[1], "NO_RESOURCE", gone)]
    {
        // The event, and not what the target would have got.
        assert_eq!(letter.json()["id"], id.as_str());
        assert_eq!(letter.attribute("ERROR_CODE"), code);
        assert_eq!(letter.attribute("RULE_ARN"), rule);
        assert_eq!(letter.attribute("TARGET_ARN"), target);
        assert_eq!(letter.attribute("RETRY_ATTEMPTS"), "0");
        assert!(!letter.attribute("ERROR_MESSAGE").is_empty());
        let names: Vec<&String> = letter.attributes.as_object().unwrap().keys().collect();
        assert_eq!(names, ["ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS", "RULE_ARN", "TARGET_ARN"]);
        assert_eq!(letter.attributes["RULE_ARN"]["DataType"], "String");
    }
    scene.endpoint.stop().await;
}

fn knobs() -> Deliveries {
    Deliveries {
        shuffle: Duration::from_millis(300),
        duplicate_every: NonZeroU32::new(2),
        seed: 5,
        ..Deliveries::default()
    }
}

/// In which order ten events come, some of them twice.
async fn order(deliveries: Deliveries) -> Vec<i64> {
    let endpoint = Endpoint::start_with(Options { deliveries, ..Options::default() }).await;
    let mut scene = Scene::on(endpoint);
    let queue = scene.queue("q");
    scene.rule("r", "my.app", &json!([{"Id": "q", "Arn": queue.arn}]));
    // At once: what they are delayed by is told apart from when they were sent.
    let entry = |n: i64| json!({"Source": "my.app", "DetailType": "t", "Detail": json!({"n": n}).to_string()});
    let entries: Vec<Value> = (0..10).map(entry).collect();
    scene.events("PutEvents", &json!({"Entries": entries}));
    let copies = if deliveries.duplicate_every.is_some() { 15 } else { 10 };
    let mut received = scene.received(&queue, copies).await;
    received.sort_by_key(|one| one.sent);
    let order = received.iter().map(|one| one.json()["detail"]["n"].as_i64().unwrap()).collect();
    scene.endpoint.stop().await;
    order
}

#[tokio::test]
async fn deliveries_can_be_doubled_and_shuffled() {
    let plain = order(Deliveries::default()).await;
    assert!(plain.is_sorted(), "{plain:?}");
    let shuffled = order(knobs()).await;
    assert!(!shuffled.is_sorted(), "{shuffled:?}");
    for n in 0..10 {
        let copies = shuffled.iter().filter(|one| **one == n).count();
        // Numbers of deliveries begin at 1, and the seed is 5.
        assert_eq!(copies, if n % 2 == 0 { 2 } else { 1 }, "{n}: {shuffled:?}");
    }
}
