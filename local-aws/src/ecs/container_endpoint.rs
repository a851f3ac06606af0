//! What a program asks for by the addresses in its environment: its role's credentials, and who it is.
//!
//! As on Fargate these requests are not signed. Who knows the address, which only the program's environment holds, may
//! ask.

use axum::http::{Method, request::Parts};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::credentials::{TaskCredentials, credentials};
use super::task::{Desired, Task};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Door;
use crate::wire;

/// The variables that tell a program the addresses.
pub(super) fn variables(endpoint: &Endpoint, task: &Task) -> Vec<(&'static str, String)> {
    let mut variables = vec![("ECS_CONTAINER_METADATA_URI_V4", format!("{}/v4/{}", endpoint.url, task.access_id))];
    if task.role_arn.is_some() {
        let uri = format!("{}/v2/credentials/{}", endpoint.url, task.access_id);
        variables.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri));
    }
    variables
}

/// Where the addresses lead.
pub(crate) const DOOR: Door = Door {
    is_for: |parts| ["/v2/credentials/", "/v4/"].iter().any(|prefix| parts.uri.path().starts_with(prefix)),
    handle: |endpoint, parts, _| Box::pin(async move { wire::plain_json(answer(&endpoint, &parts)) }),
};

fn answer(endpoint: &Endpoint, parts: &Parts) -> Result<Value, ApiError> {
    if parts.method != Method::GET {
        return Err(ApiError::new("MethodNotAllowed", "Only GET is allowed.").status(405));
    }
    let path = parts.uri.path();
    if let Some(id) = path.strip_prefix("/v2/credentials/") {
        return credentials(endpoint, id);
    }
    let rest = path.strip_prefix("/v4/").unwrap_or_default();
    let (id, what) = rest.split_once('/').unwrap_or((rest, ""));
    metadata(endpoint, id, what)
}

fn metadata(endpoint: &Endpoint, id: &str, what: &str) -> Result<Value, ApiError> {
    let unknown = || ApiError::new("NotFound", "Unable to get task metadata: no such container").status(404);
    let task = endpoint.store.read(|tx| {
        let access = tx.get::<TaskCredentials>(id)?.ok_or_else(unknown)?;
        tx.get::<Task>(&access.task)?.ok_or_else(unknown)
    })?;
    match what {
        "" => Ok(container(&task)),
        "task" => Ok(describe(&task)),
        other => Err(ApiError::unsupported(format!("The task metadata path {other}")).status(404)),
    }
}

fn time(time: Option<DateTime<Utc>>) -> Value {
    time.map_or(Value::Null, |time| json!(time.to_rfc3339_opts(SecondsFormat::Nanos, true)))
}

/// Members without a value are left out, as the agent does.
fn without_null(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

fn desired(task: &Task) -> &'static str {
    match task.desired_status {
        Desired::Running => "RUNNING",
        Desired::Stopped => "STOPPED",
    }
}

fn container(task: &Task) -> Value {
    let definition = &task.container;
    let mut labels = json!({
        "com.amazonaws.ecs.cluster": task.cluster_arn,
        "com.amazonaws.ecs.container-name": definition.name,
        "com.amazonaws.ecs.task-arn": task.arn,
        "com.amazonaws.ecs.task-definition-family": task.family,
        "com.amazonaws.ecs.task-definition-version": task.revision.to_string(),
    });
    for (name, value) in &definition.docker_labels {
        labels[name] = json!(value);
    }
    let log = task.log_stream().map(|(group, stream)| {
        let region = definition.log_configuration.as_ref().map(|log| log.option("awslogs-region").to_owned());
        json!({"awslogs-group": group, "awslogs-region": region, "awslogs-stream": stream})
    });
    let interface = &task.interface;
    without_null(json!({
        "DockerId": task.runtime_id,
        "Name": definition.name,
        "DockerName": definition.name,
        "Image": definition.image,
        "ImageID": task.image_digest,
        "Labels": labels,
        "DesiredStatus": desired(task),
        "KnownStatus": task.container_status(),
        "ExitCode": task.exit_code,
        "Limits": without_null(json!({"CPU": definition.cpu, "Memory": definition.memory})),
        "CreatedAt": time(task.pull_stopped_at),
        "StartedAt": time(task.started_at),
        "Type": "NORMAL",
        "LogDriver": log.as_ref().map(|_| "awslogs"),
        "LogOptions": log,
        "ContainerARN": task.container_arn(),
        "Networks": [{
            "NetworkMode": "awsvpc",
            "IPv4Addresses": [interface.private_address],
            "AttachmentIndex": 0,
            "MACAddress": interface.mac_address,
            "IPv4SubnetCIDRBlock": interface.cidr_block,
            "PrivateDNSName": task.private_dns_name(),
        }],
    }))
}

fn describe(task: &Task) -> Value {
    without_null(json!({
        "Cluster": task.cluster_arn,
        "TaskARN": task.arn,
        "Family": task.family,
        "Revision": task.revision.to_string(),
        "DesiredStatus": desired(task),
        "KnownStatus": task.last_status,
        "Limits": {"CPU": f64::from(task.cpu) / 1024.0, "Memory": task.memory},
        "PullStartedAt": time(task.pull_started_at),
        "PullStoppedAt": time(task.pull_stopped_at),
        "AvailabilityZone": task.interface.availability_zone,
        "LaunchType": "FARGATE",
        "Containers": [container(task)],
        "FaultInjectionEnabled": false,
    }))
}
