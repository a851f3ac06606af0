//! The calls that read roles.

use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::page;
use super::role::{Role, no_such_entity};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::wire::number;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct OfRole {
    role_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListOfRole {
    role_name: String,
    marker: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_items: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListAttached {
    role_name: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_items: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListRoles {
    path_prefix: Option<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_items: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct GetRolePolicy {
    role_name: String,
    policy_name: String,
}

fn role(endpoint: &Endpoint, name: &str) -> Result<Role, ApiError> {
    endpoint.store.read(|tx| Role::named(tx, name))
}

pub(super) fn get_role(endpoint: &Endpoint, input: OfRole) -> Result<Value, ApiError> {
    let role = role(endpoint, &input.role_name)?;
    let mut shown = summary(&role);
    if !role.tags.is_empty() {
        shown["Tags"] = role.tags.into_iter().map(|it| tag(&it)).collect();
    }
    Ok(json!({"Role": shown}))
}

pub(super) fn list_roles(endpoint: &Endpoint, input: ListRoles) -> Result<Value, ApiError> {
    let prefix = input.path_prefix.unwrap_or_else(|| "/".to_owned());
    let mut roles = endpoint.store.read(|tx| tx.list::<Role>())?;
    roles.retain(|role| role.path.starts_with(&prefix));
    page("Roles", roles, |role| role.name.clone(), summary, input.marker.as_deref(), input.max_items)
}

pub(super) fn list_role_tags(endpoint: &Endpoint, input: ListOfRole) -> Result<Value, ApiError> {
    let role = role(endpoint, &input.role_name)?;
    let tags = role.tags.into_iter().collect();
    page("Tags", tags, |(key, _): &(String, String)| key.clone(), tag, input.marker.as_deref(), input.max_items)
}

pub(super) fn list_role_policies(endpoint: &Endpoint, input: ListOfRole) -> Result<Value, ApiError> {
    let role = role(endpoint, &input.role_name)?;
    let names = role.policies.into_keys().collect();
    page("PolicyNames", names, String::clone, |name| json!(name), input.marker.as_deref(), input.max_items)
}

pub(super) fn get_role_policy(endpoint: &Endpoint, input: GetRolePolicy) -> Result<Value, ApiError> {
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

pub(super) fn list_attached_role_policies(endpoint: &Endpoint, input: ListAttached) -> Result<Value, ApiError> {
    let role = role(endpoint, &input.role_name)?;
    let prefix = input.path_prefix.unwrap_or_else(|| "/".to_owned());
    let policies = role.attached.iter().filter_map(|arn| {
        // `arn:aws:iam::aws:policy/service-role/NAME`: the path is between `policy` and the name.
        let (_, path_and_name) = arn.split_once(":policy")?;
        let (_, name) = path_and_name.rsplit_once('/')?;
        path_and_name.starts_with(&prefix).then_some((name, arn))
    });
    let mut policies: Vec<(&str, &String)> = policies.collect();
    policies.sort_unstable();
    let show = |(name, arn): &(&str, &String)| json!({"PolicyName": name, "PolicyArn": arn});
    let key = |(name, arn): &(&str, &String)| ((*name).to_owned(), (*arn).clone());
    page("AttachedPolicies", policies, key, show, input.marker.as_deref(), input.max_items)
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

fn tag((key, value): &(String, String)) -> Value {
    json!({"Key": key, "Value": value})
}

/// IAM answers documents percent-encoded after RFC 3986; a form would write a space as `+`.
fn url_encoded(document: &str) -> String {
    form_urlencoded::byte_serialize(document.as_bytes()).collect::<String>().replace('+', "%20")
}
