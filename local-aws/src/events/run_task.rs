//! A cluster as a target: RunTask, in the target's role.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::rule::Rule;
use super::target::{EcsParameters, Target};
use crate::ecs::run_task::{self, Run};
use crate::endpoint::Endpoint;
use crate::iam;
use crate::store::Tx;

/// Who EventBridge is to roles and resources.
pub(super) const SERVICE: &str = "events.amazonaws.com";

/// Makes the target's tasks. `input` is what it gets instead of the event: overrides of the tasks.
pub(super) fn run_task(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    rule: &Rule,
    target: &Target,
    event_id: &str,
    input: Option<&str>,
) -> Result<Run, Failure> {
    let (Some(role), Some(parameters)) = (&target.role_arn, &target.ecs_parameters) else {
        return Err(Failure::lasting("INVALID_PARAMETER", "The target has no RoleArn or no EcsParameters."));
    };
    iam::assume(endpoint, tx, role, SERVICE, &rule.arn).map_err(|error| match Failure::from(error) {
        failure if failure.is_transient => failure,
        failure => Failure { code: "FAILED_TO_ASSUME_ROLE", ..failure },
    })?;
    let mut request = request(rule, target, parameters);
    // The same for each try, so that two tries start one task.
    let token = Sha256::digest(format!("{event_id}/{}/{}", rule.arn, target.id));
    request["clientToken"] = json!(format!("{token:x}"));
    if let Some(input) = input {
        let overrides = serde_json::from_str::<Value>(input).ok().filter(Value::is_object);
        request["overrides"] = overrides.ok_or_else(|| {
            Failure::lasting("INVALID_JSON", "What the target gets is no JSON of a task's overrides.")
        })?;
    }
    Ok(run_task::run_in_role(endpoint, tx, role, event_id, request)?)
}

/// The input of RunTask.
fn request(rule: &Rule, target: &Target, parameters: &EcsParameters) -> Value {
    let network = parameters.network_configuration.as_ref().and_then(|one| one.awsvpc_configuration.as_ref());
    let network = network.map(|network| {
        json!({"awsvpcConfiguration": without_nulls([
            ("subnets", json!(network.subnets)),
            ("securityGroups", json!(network.security_groups)),
            ("assignPublicIp", json!(network.assign_public_ip)),
        ])})
    });
    let strategy: Value = match parameters.capacity_provider_strategy.as_slice() {
        [] => Value::Null,
        items => json!(items),
    };
    let tags: Vec<Value> = parameters.tags.iter().map(|tag| json!({"key": tag.key, "value": tag.value})).collect();
    // A rule's name may have what `startedBy` may not.
    let started_by = format!("events-rule/{}", rule.name.replace('.', "_"));
    without_nulls([
        ("cluster", json!(target.arn)),
        ("taskDefinition", json!(parameters.task_definition_arn)),
        ("count", json!(parameters.task_count.unwrap_or(1))),
        ("launchType", json!(parameters.launch_type)),
        ("networkConfiguration", json!(network)),
        ("platformVersion", json!(parameters.platform_version)),
        ("group", json!(parameters.group)),
        ("capacityProviderStrategy", strategy),
        ("enableECSManagedTags", json!(parameters.enable_ecs_managed_tags)),
        ("propagateTags", json!(parameters.propagate_tags)),
        ("tags", if tags.is_empty() { Value::Null } else { json!(tags) }),
        ("startedBy", json!(started_by)),
    ])
}

fn without_nulls<const N: usize>(members: [(&str, Value); N]) -> Value {
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
