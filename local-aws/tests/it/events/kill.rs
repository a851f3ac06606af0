//! A kill loses no event.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::Queue;
use super::clusters::{create_roles, started, target};
use crate::boto::Boto;
use crate::ecs_kill::{Victim, config, free_port};
use crate::ecs_lab::Lab;
use crate::harness::{Seed, until};

fn variables(state_dir: &std::path::Path, port: u16) -> Vec<(&'static str, String)> {
    let identity = local_aws::Identity::load(state_dir).unwrap().unwrap();
    vec![
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", identity.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", identity.secret_access_key),
        ("AWS_DEFAULT_REGION", identity.region),
    ]
}

#[tokio::test]
async fn sigkill_at_any_moment_loses_no_event_and_doubles_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let mut boto = Boto::start(variables(dir.path(), victim.port));
    let queue = Queue::create(&mut boto, "q");
    let pattern = json!({"source": ["my.app"]}).to_string();
    boto.call("events", "PutRule", &json!({"Name": "r", "EventPattern": pattern})).unwrap();
    let targets = json!([{"Id": "q", "Arn": queue.arn}]);
    boto.call("events", "PutTargets", &json!({"Rule": "r", "Targets": targets})).unwrap();
    let seed = Seed::new();
    let mut moments = StdRng::seed_from_u64(seed.0);
    let mut sent = Vec::new();
    for _ in 0..25 {
        for _ in 0..2 {
            let entry = json!({"Source": "my.app", "DetailType": "t", "Detail": "{}"});
            let entries = vec![entry; 10];
            let answer = boto.call("events", "PutEvents", &json!({"Entries": entries})).unwrap();
            let ids = answer["Entries"].as_array().unwrap().iter();
            sent.extend(ids.map(|entry| entry["EventId"].as_str().unwrap().to_owned()));
        }
        // While they are matched and delivered, which takes a few milliseconds.
        tokio::time::sleep(Duration::from_micros(moments.random_range(0..6_000))).await;
        victim = victim.kill_and_restart(dir.path()).await;
    }
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    until("all events", async || {
        for message in queue.receive(&mut boto) {
            let id = message.json()["id"].as_str().unwrap().to_owned();
            *received.entry(id).or_default() += 1;
        }
        (received.len() == sent.len()).then_some(())
    })
    .await;
    sent.sort_unstable();
    assert_eq!(received.keys().cloned().collect::<Vec<_>>(), sent);
    assert!(received.values().all(|count| *count == 1), "{received:?}");
}

#[tokio::test]
async fn sigkill_at_any_moment_of_a_delivery_to_a_cluster_starts_one_task_for_each_event() {
    const EVENTS: usize = 30;
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let lab = Lab::new(&config(dir.path(), victim.port)).await;
    let mut boto = Boto::start(variables(dir.path(), victim.port));
    create_roles(&mut boto).await;
    let mut run = target(&lab, "runner");
    run["InputTransformer"] = json!({
        "InputPathsMap": {"number": "$.detail.number"},
        "InputTemplate": r#"{"containerOverrides": [{"name": "job", "command": ["echo event <number>"]}]}"#,
    });
    let pattern = json!({"source": ["my.app"]}).to_string();
    boto.call("events", "PutRule", &json!({"Name": "r", "EventPattern": pattern})).unwrap();
    boto.call("events", "PutTargets", &json!({"Rule": "r", "Targets": [run]})).unwrap();
    let seed = Seed::new();
    let mut moments = StdRng::seed_from_u64(seed.0);
    for number in 0..EVENTS {
        let detail = json!({"number": number}).to_string();
        let entry = json!({"Source": "my.app", "DetailType": "t", "Detail": detail});
        boto.call("events", "PutEvents", &json!({"Entries": [entry]})).unwrap();
        // While it is matched, and its task is made and started, which takes a few milliseconds.
        tokio::time::sleep(Duration::from_micros(moments.random_range(0..12_000))).await;
        victim = victim.kill_and_restart(dir.path()).await;
        // A process that was being forked for a task has held the old listener for a moment: a connection alone says nothing.
        until("the endpoint answers", async || lab.ecs.describe_clusters().send().await.ok()).await;
    }
    let tasks = until("a task for each event", async || {
        let tasks = started(&lab).await;
        (tasks.len() >= EVENTS).then_some(tasks)
    })
    .await;
    let mut lines = Vec::new();
    for task in &tasks {
        lab.stopped(task).await;
        lines.extend(lab.log(task).await);
    }
    lines.sort_unstable();
    let mut wanted: Vec<String> = (0..EVENTS).map(|number| format!("event {number}")).collect();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert_eq!(started(&lab).await.len(), EVENTS);
    drop(victim);
}
