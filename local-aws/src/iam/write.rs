//! The calls that change or delete a role: what a person does to one by hand. CloudFormation has made it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::managed;
use super::policy::{Document, Kind};
use super::role::{Role, no_such_entity};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::tag::Tag;
use crate::wire::{list, number};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteRole {
    role_name: String,
}

pub(super) fn delete_role(endpoint: &Endpoint, input: DeleteRole) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| Role::named(tx, &input.role_name)?.delete(tx))?;
    Ok(json!({}))
}

/// Changes the role and writes it.
fn change(
    endpoint: &Endpoint,
    name: &str,
    change: impl FnOnce(&mut Role) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut role = Role::named(tx, name)?;
        change(&mut role)?;
        tx.put(&role)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PutRolePolicy {
    role_name: String,
    policy_name: String,
    policy_document: String,
}

pub(super) fn put_role_policy(endpoint: &Endpoint, input: PutRolePolicy) -> Result<Value, ApiError> {
    change(endpoint, &input.role_name, |role| {
        role.put_policy(&input.policy_name, &Value::String(input.policy_document))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteRolePolicy {
    role_name: String,
    policy_name: String,
}

pub(super) fn delete_role_policy(endpoint: &Endpoint, input: DeleteRolePolicy) -> Result<Value, ApiError> {
    change(endpoint, &input.role_name, |role| match role.policies.remove(&input.policy_name) {
        Some(_) => Ok(()),
        None => Err(no_such_entity(format!("The role policy with name {} cannot be found.", input.policy_name))),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Attached {
    role_name: String,
    policy_arn: String,
}

pub(super) fn attach_role_policy(endpoint: &Endpoint, input: Attached) -> Result<Value, ApiError> {
    managed::document(&input.policy_arn)?;
    change(endpoint, &input.role_name, |role| {
        role.attached.insert(input.policy_arn);
        Ok(())
    })
}

pub(super) fn detach_role_policy(endpoint: &Endpoint, input: Attached) -> Result<Value, ApiError> {
    change(endpoint, &input.role_name, |role| match role.attached.remove(&input.policy_arn) {
        true => Ok(()),
        false => Err(no_such_entity(format!("Policy {} was not found.", input.policy_arn))),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct UpdateAssumeRolePolicy {
    role_name: String,
    policy_document: String,
}

pub(super) fn update_assume_role_policy(endpoint: &Endpoint, input: UpdateAssumeRolePolicy) -> Result<Value, ApiError> {
    Document::parse(&Value::String(input.policy_document.clone()), Kind::Trust)?;
    change(endpoint, &input.role_name, |role| {
        role.trust_policy = input.policy_document;
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct UpdateRole {
    role_name: String,
    description: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_session_duration: Option<i64>,
}

pub(super) fn update_role(endpoint: &Endpoint, input: UpdateRole) -> Result<Value, ApiError> {
    if let Some(other) = input.max_session_duration.filter(|seconds| !(3600..=43200).contains(seconds)) {
        return Err(ApiError::new(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{other}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
            ),
        ));
    }
    change(endpoint, &input.role_name, |role| {
        role.description = input.description.or(role.description.take());
        role.max_session_duration = input.max_session_duration.unwrap_or(role.max_session_duration);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct TagRole {
    role_name: String,
    #[serde(default, deserialize_with = "list")]
    tags: Vec<Tag>,
}

pub(super) fn tag_role(endpoint: &Endpoint, input: TagRole) -> Result<Value, ApiError> {
    change(endpoint, &input.role_name, |role| {
        role.tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct UntagRole {
    role_name: String,
    #[serde(default, deserialize_with = "list")]
    tag_keys: Vec<String>,
}

pub(super) fn untag_role(endpoint: &Endpoint, input: UntagRole) -> Result<Value, ApiError> {
    change(endpoint, &input.role_name, |role| {
        role.tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(())
    })
}
