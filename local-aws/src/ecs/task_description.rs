//! A task as the API shows it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::tag;
use super::task::{Status, Task};
use super::time::epoch;

/// The task as the API shows it.
pub(super) fn describe(task: &Task, with_tags: bool) -> Value {
    let mut overrides = json!(task.overrides);
    if task.overrides.container_overrides.is_empty() {
        overrides["containerOverrides"] = json!([{"name": task.container.name}]);
    }
    overrides["inferenceAcceleratorOverrides"] = json!([]);
    let mut answer = json!({
        "taskArn": task.arn,
        "clusterArn": task.cluster_arn,
        "taskDefinitionArn": task.definition_arn,
        "lastStatus": task.last_status,
        "desiredStatus": task.desired_status,
        "version": task.version,
        "cpu": task.cpu.to_string(),
        "memory": task.memory.to_string(),
        "group": task.group,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": task.interface.availability_zone,
        "enableExecuteCommand": false,
        "healthStatus": "UNKNOWN",
        "ephemeralStorage": {"sizeInGiB": 20},
        "attributes": [{"name": "ecs.cpu-architecture", "value": task.cpu_architecture.to_ascii_lowercase()}],
        "overrides": overrides,
        "attachments": [attachment(task)],
        "containers": [container(task)],
        "tags": if with_tags { tag::shown(&task.tags) } else { json!([]) },
    });
    let optional = [
        ("startedBy", task.started_by.as_ref().map(|value| json!(value))),
        ("capacityProviderName", task.capacity_provider.as_ref().map(|value| json!(value))),
        ("stopCode", task.stop_code.map(|value| json!(value))),
        ("stoppedReason", task.stopped_reason.as_ref().map(|value| json!(value))),
        ("connectivity", task.connectivity_at.map(|_| json!("CONNECTED"))),
    ];
    let times = times(task).map(|(member, time)| (member, time.map(|time| json!(epoch(time)))));
    for (member, value) in optional.into_iter().chain(times) {
        if let Some(value) = value {
            answer[member] = value;
        }
    }
    answer
}

/// Its times, by their members.
pub(super) fn times(task: &Task) -> [(&'static str, Option<DateTime<Utc>>); 8] {
    [
        ("createdAt", Some(task.created_at)),
        ("connectivityAt", task.connectivity_at),
        ("pullStartedAt", task.pull_started_at),
        ("pullStoppedAt", task.pull_stopped_at),
        ("startedAt", task.started_at),
        ("stoppingAt", task.stopping_at),
        ("executionStoppedAt", task.execution_stopped_at),
        ("stoppedAt", task.stopped_at),
    ]
}

fn attachment(task: &Task) -> Value {
    let interface = &task.interface;
    let mut details = vec![("subnetId", interface.subnet_id.clone())];
    let status = match task.last_status {
        Status::Provisioning => "PRECREATED",
        Status::Deprovisioning => "DETACHING",
        Status::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    if task.connectivity_at.is_some() {
        details.push(("networkInterfaceId", interface.id.clone()));
        details.push(("macAddress", interface.mac_address.clone()));
        details.push(("privateDnsName", task.private_dns_name()));
        details.push(("privateIPv4Address", interface.private_address.clone()));
    }
    let details: Value = details.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"id": interface.attachment_id, "type": "ElasticNetworkInterface", "status": status, "details": details})
}

fn container(task: &Task) -> Value {
    let changed = task.container_override();
    let cpu = changed.and_then(|one| one.cpu).unwrap_or(task.container.cpu);
    let mut answer = json!({
        "containerArn": task.container_arn(),
        "taskArn": task.arn,
        "name": task.container.name,
        "image": task.container.image,
        "lastStatus": task.container_status(),
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": cpu.to_string(),
    });
    if task.connectivity_at.is_some() {
        answer["networkInterfaces"] = json!([{
            "attachmentId": task.interface.attachment_id,
            "privateIpv4Address": task.interface.private_address,
        }]);
    }
    let memory = changed.and_then(|one| one.memory).or(task.container.memory);
    let reservation = changed.and_then(|one| one.memory_reservation).or(task.container.memory_reservation);
    let optional = [
        ("imageDigest", task.image_digest.as_ref().map(|value| json!(value))),
        ("runtimeId", task.runtime_id.as_ref().map(|value| json!(value))),
        ("exitCode", task.exit_code.map(|value| json!(value))),
        ("reason", task.container_reason.as_ref().map(|value| json!(value))),
        ("memory", memory.map(|value| json!(value.to_string()))),
        ("memoryReservation", reservation.map(|value| json!(value.to_string()))),
    ];
    for (member, value) in optional {
        if let Some(value) = value {
            answer[member] = value;
        }
    }
    answer
}
