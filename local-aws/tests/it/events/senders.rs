//! What ECS and FIS send.

use serde_json::{Value, json};

use super::Scene;
use crate::ecs_lab::Lab;
use crate::harness::Endpoint;

/// All events up to the first that `is_last`.
async fn until_last(scene: &mut Scene, queue: &super::Queue, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut events = Vec::new();
    while !events.last().is_some_and(&is_last) {
        events.extend(scene.received(queue, 1).await.iter().map(super::Message::json));
        events.sort_by_key(|event: &Value| event["detail"]["version"].as_i64());
    }
    events
}

#[tokio::test]
async fn ecs_tells_every_step_of_a_task() {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    let mut scene = Scene::on(endpoint);
    let queue = scene.queue("q");
    scene.rule("r", "aws.ecs", &json!([{"Id": "q", "Arn": queue.arn}]));
    let arn = lab.start("echo up; exec sleep 60").await;
    lab.wait_for_line(&arn, "up").await;
    lab.stop(&arn).await;
    let stopped = |event: &Value| event["detail"]["lastStatus"] == "STOPPED";
    let events = until_last(&mut scene, &queue, stopped).await;
    let steps: Vec<String> = events
        .iter()
        .map(|event| {
            let text = |member: &str| event["detail"][member].as_str().unwrap();
            format!("{} {}", text("lastStatus"), text("desiredStatus"))
        })
        .collect();
    assert_eq!(
        steps,
        [
            "PROVISIONING RUNNING",
            "PENDING RUNNING",
            "ACTIVATING RUNNING",
            "RUNNING RUNNING",
            "RUNNING STOPPED",
            "DEACTIVATING STOPPED",
            "STOPPING STOPPED",
            "DEPROVISIONING STOPPED",
            "STOPPED STOPPED",
        ]
    );
    let versions: Vec<i64> = events.iter().map(|event| event["detail"]["version"].as_i64().unwrap()).collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    let last = events.last().unwrap();
    assert_eq!(last["source"], "aws.ecs");
    assert_eq!(last["detail-type"], "ECS Task State Change");
    assert_eq!(last["resources"], json!([arn]));
    assert_eq!(last["detail"]["version"], lab.describe(&arn).await.version());
    check_detail(&last["detail"]);
    scene.endpoint.stop().await;
}

/// A task that was stopped, as its event shows it.
fn check_detail(detail: &Value) {
    let members: Vec<&String> = detail.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "attachments",
            "attributes",
            "availabilityZone",
            "clusterArn",
            "connectivity",
            "connectivityAt",
            "containers",
            "cpu",
            "createdAt",
            "desiredStatus",
            "enableExecuteCommand",
            "ephemeralStorage",
            "executionStoppedAt",
            "group",
            "lastStatus",
            "launchType",
            "memory",
            "overrides",
            "platformVersion",
            "pullStartedAt",
            "pullStoppedAt",
            "startedAt",
            "stopCode",
            "stoppedAt",
            "stoppedReason",
            "stoppingAt",
            "taskArn",
            "taskDefinitionArn",
            "updatedAt",
            "version",
        ]
    );
    assert_eq!(detail["stopCode"], "UserInitiated");
    assert_eq!(detail["group"], "family:job");
    let stopped_at = detail["stoppedAt"].as_str().unwrap();
    assert!(stopped_at.len() == "2026-01-01T00:00:00.000Z".len() && stopped_at.ends_with('Z'), "{stopped_at}");
    let attachment = &detail["attachments"][0];
    assert_eq!([&attachment["type"], &attachment["status"]], ["eni", "DELETED"]);
    let container = &detail["containers"][0];
    assert_eq!([&container["lastStatus"], &container["name"]], ["STOPPED", "job"]);
    assert_eq!(container["exitCode"], 143);
}

#[tokio::test]
async fn fis_tells_every_state_of_an_experiment() {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    let mut scene = Scene::on(endpoint);
    let queue = scene.queue("q");
    scene.rule("r", "aws.fis", &json!([{"Id": "q", "Arn": queue.arn}]));
    let wait = json!({"actionId": "aws:fis:wait", "parameters": {"duration": "PT1H"}});
    let template = json!({
        "clientToken": "t", "description": "waits", "roleArn": lab.output("ForeignRole"),
        "stopConditions": [{"source": "none"}], "actions": {"Wait": wait},
    });
    let made = scene.boto.call("fis", "CreateExperimentTemplate", &template).unwrap();
    let template = &made["experimentTemplate"]["id"];
    let start = json!({"clientToken": "s", "experimentTemplateId": template});
    let started = scene.boto.call("fis", "StartExperiment", &start).unwrap();
    let (id, arn) = (&started["experiment"]["id"], &started["experiment"]["arn"]);
    let mut events: Vec<Value> = scene.received(&queue, 2).await.iter().map(super::Message::json).collect();
    scene.boto.call("fis", "StopExperiment", &json!({"id": id})).unwrap();
    events.extend(scene.received(&queue, 2).await.iter().map(super::Message::json));
    let mut steps: Vec<(&str, &str)> = Vec::new();
    for event in &events {
        assert_eq!([&event["source"], &event["detail-type"]], ["aws.fis", "FIS Experiment State Change"]);
        assert_eq!(event["resources"], json!([arn]));
        assert_eq!([&event["detail"]["experiment-id"], &event["detail"]["experiment-template-id"]], [id, template]);
        let status = |state: &str| event["detail"][state]["status"].as_str().unwrap();
        steps.push((status("old-state"), status("new-state")));
    }
    steps.sort_unstable();
    assert_eq!(
        steps,
        [("initiating", "running"), ("pending", "initiating"), ("running", "stopping"), ("stopping", "stopped")]
    );
    scene.endpoint.stop().await;
}
