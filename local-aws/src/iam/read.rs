//! The calls that read roles.

use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::{Value, json};

use super::role::{Role, no_such_entity};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::wire::{decode, number};

const INVALID: &str = "ValidationError";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct OfRole {
    role_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ListOfRole {
    role_name: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_items: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ListRoles {
    path_prefix: Option<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_items: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct GetRolePolicy {
    role_name: String,
    policy_name: String,
}

fn role(endpoint: &Endpoint, name: &str) -> Result<Role, ApiError> {
    endpoint.store.read(|tx| Role::named(tx, name))
}

pub(super) fn get_role(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: OfRole = decode(INVALID, "GetRole", input)?;
    let role = role(endpoint, &input.role_name)?;
    let mut shown = summary(&role);
    if !role.tags.is_empty() {
        shown["Tags"] = tags(&role).into();
    }
    Ok(json!({"Role": shown}))
}

pub(super) fn list_roles(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListRoles = decode(INVALID, "ListRoles", input)?;
    let prefix = input.path_prefix.unwrap_or_else(|| "/".to_owned());
    let mut roles = endpoint.store.read(|tx| tx.list::<Role>())?;
    roles.retain(|role| role.path.starts_with(&prefix));
    page("Roles", roles.iter().map(summary).collect(), input.marker, input.max_items)
}

pub(super) fn list_role_tags(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListOfRole = decode(INVALID, "ListRoleTags", input)?;
    refuse_path_prefix("ListRoleTags", input.path_prefix.as_deref())?;
    let role = role(endpoint, &input.role_name)?;
    page("Tags", tags(&role), input.marker, input.max_items)
}

pub(super) fn list_role_policies(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListOfRole = decode(INVALID, "ListRolePolicies", input)?;
    refuse_path_prefix("ListRolePolicies", input.path_prefix.as_deref())?;
    let role = role(endpoint, &input.role_name)?;
    page("PolicyNames", role.policies.keys().map(|name| json!(name)).collect(), input.marker, input.max_items)
}

pub(super) fn get_role_policy(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: GetRolePolicy = decode(INVALID, "GetRolePolicy", input)?;
    let role = role(endpoint, &input.role_name)?;
    let document = role
        .policies
        .get(&input.policy_name)
        .ok_or_else(|| no_such_entity(format!("The role policy with name {} cannot be found.", input.policy_name)))?;
    Ok(json!({
        "RoleName": role.name,
        "PolicyName": input.policy_name,
        "PolicyDocument": url_encoded(document),
    }))
}

pub(super) fn list_attached_role_policies(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: ListOfRole = decode(INVALID, "ListAttachedRolePolicies", input)?;
    let role = role(endpoint, &input.role_name)?;
    let prefix = input.path_prefix.unwrap_or_else(|| "/".to_owned());
    let attached = role.attached.iter().filter_map(|arn| {
        // `arn:aws:iam::aws:policy/service-role/NAME`: the path is between `policy` and the name.
        let (_, path_and_name) = arn.split_once(":policy")?;
        let (_, name) = path_and_name.rsplit_once('/')?;
        path_and_name.starts_with(&prefix).then(|| json!({"PolicyName": name, "PolicyArn": arn}))
    });
    page("AttachedPolicies", attached.collect(), input.marker, input.max_items)
}

fn refuse_path_prefix(operation: &str, path_prefix: Option<&str>) -> Result<(), ApiError> {
    match path_prefix {
        Some(_) => Err(ApiError::unsupported(format!("The member PathPrefix of {operation}"))),
        None => Ok(()),
    }
}

/// What ListRoles shows of a role.
pub(super) fn summary(role: &Role) -> Value {
    let mut shown = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.role_id,
        "Arn": role.arn,
        "CreateDate": role.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "AssumeRolePolicyDocument": url_encoded(&role.trust_policy),
        "MaxSessionDuration": role.max_session_duration,
    });
    if let Some(description) = &role.description {
        shown["Description"] = json!(description);
    }
    shown
}

fn tags(role: &Role) -> Vec<Value> {
    role.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// IAM answers documents percent-encoded after RFC 3986; a form would write a space as `+`.
fn url_encoded(document: &str) -> String {
    form_urlencoded::byte_serialize(document.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A page of `items`; the marker is the index of the next one.
pub(super) fn page(
    name: &str,
    items: Vec<Value>,
    marker: Option<String>,
    max_items: Option<i64>,
) -> Result<Value, ApiError> {
    let invalid = |what: &str| ApiError::new(INVALID, format!("Invalid {what}."));
    let start = marker.map_or(Ok(0), |marker| marker.parse::<usize>().map_err(|_| invalid("Marker")))?;
    let size = match max_items.unwrap_or(100) {
        size @ 1..=1000 => usize::try_from(size).unwrap_or(100),
        _ => return Err(invalid("MaxItems: it must be between 1 and 1000")),
    };
    let truncated = items.len() > start + size;
    let mut output =
        json!({name: items.into_iter().skip(start).take(size).collect::<Vec<_>>(), "IsTruncated": truncated});
    if truncated {
        output["Marker"] = json!((start + size).to_string());
    }
    Ok(output)
}
