//! Functions as the calls show them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::function::Function;
use super::name::LATEST;

/// `2026-01-31T12:00:00.000+0000`
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// As GetFunctionConfiguration shows it.
pub(super) fn configuration(function: &Function) -> Value {
    let settings = &function.settings;
    let mut shown = json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Role": settings.role,
        "CodeSize": 0,
        "Description": settings.description,
        "Timeout": settings.timeout,
        "MemorySize": settings.memory_size,
        "LastModified": time(function.last_modified),
        "CodeSha256": function.code.digest.trim_start_matches("sha256:"),
        "Version": LATEST,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": function.revision_id,
        "PackageType": "Image",
        "Architectures": [function.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_storage},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": settings.log_group(&function.name)},
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(state(function));
        shown.extend(optional(function));
    }
    shown
}

fn state(function: &Function) -> Map<String, Value> {
    let state = if function.is_pending() {
        json!({"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"})
    } else if function.is_updating() {
        json!({
            "State": "Active", "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": "The function is being updated.", "LastUpdateStatusReasonCode": "Updating",
        })
    } else {
        json!({"State": "Active", "LastUpdateStatus": "Successful"})
    };
    let Value::Object(state) = state else { return Map::new() };
    state
}

fn optional(function: &Function) -> Map<String, Value> {
    let settings = &function.settings;
    let mut members = Map::new();
    if !settings.variables.is_empty() {
        members.insert("Environment".to_owned(), json!({"Variables": settings.variables}));
    }
    if let Some(queue) = &settings.dead_letter {
        members.insert("DeadLetterConfig".to_owned(), json!({"TargetArn": queue}));
    }
    if settings.image_config != super::settings::ImageConfig::default() {
        members.insert("ImageConfigResponse".to_owned(), json!({"ImageConfig": settings.image_config}));
    }
    members
}

/// As GetFunction shows it.
pub(super) fn whole(function: &Function) -> Value {
    let mut shown = json!({
        "Configuration": configuration(function),
        "Code": {
            "RepositoryType": "ECR",
            "ImageUri": function.code.image_uri,
            "ResolvedImageUri": function.code.resolved_image_uri,
        },
    });
    if !function.tags.is_empty() {
        shown["Tags"] = json!(function.tags);
    }
    if let Some(reserved) = function.reserved_concurrency {
        shown["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    shown
}
