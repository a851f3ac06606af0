//! Tags of log groups, by ARN and (the older calls) by name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::group::{self, LogGroup};
use super::refusal::{constraint, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tag::is_text;

/// Tags that one resource may have.
const MAX_TAGS: usize = 50;

/// Refuses tags that a person may not give a new group.
pub(super) fn check_all(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > MAX_TAGS {
        let shown = format!("a map of {}", tags.len());
        return Err(constraint("tags", shown, &format!("have length less than or equal to {MAX_TAGS}")));
    }
    check(tags)
}

/// Refuses tags that a person may not set.
fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(constraint("tags", key, "have keys of length between 1 and 128"));
        }
        if value.chars().count() > 256 {
            return Err(constraint("tags", value, "have values of length less than or equal to 256"));
        }
        if let Some(text) = [key, value].into_iter().find(|text| !is_text(text)) {
            return Err(constraint(
                "tags",
                text.escape_debug(),
                r"satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$",
            ));
        }
        if key.starts_with("aws:") {
            return Err(invalid("Tag keys starting with aws: are reserved for AWS."));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TagResource {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: TagResource) -> Result<Value, ApiError> {
    add(endpoint, input.tags, |tx| of_arn(tx, &input.resource_arn))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: UntagResource) -> Result<Value, ApiError> {
    remove(endpoint, &input.tag_keys, |tx| of_arn(tx, &input.resource_arn))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListTagsForResource {
    resource_arn: String,
}

pub(super) fn list_tags_for_resource(endpoint: &Endpoint, input: ListTagsForResource) -> Result<Value, ApiError> {
    let group = endpoint.store.read(|tx| of_arn(tx, &input.resource_arn))?;
    Ok(json!({"tags": group.tags}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TagLogGroup {
    log_group_name: String,
    tags: BTreeMap<String, String>,
}

pub(super) fn tag_log_group(endpoint: &Endpoint, input: TagLogGroup) -> Result<Value, ApiError> {
    add(endpoint, input.tags, |tx| group::find(tx, &input.log_group_name))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UntagLogGroup {
    log_group_name: String,
    /// Keys, in spite of the name.
    tags: Vec<String>,
}

pub(super) fn untag_log_group(endpoint: &Endpoint, input: UntagLogGroup) -> Result<Value, ApiError> {
    remove(endpoint, &input.tags, |tx| group::find(tx, &input.log_group_name))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListTagsLogGroup {
    log_group_name: String,
}

pub(super) fn list_tags_log_group(endpoint: &Endpoint, input: ListTagsLogGroup) -> Result<Value, ApiError> {
    let group = endpoint.store.read(|tx| group::find(tx, &input.log_group_name))?;
    Ok(json!({"tags": group.tags}))
}

fn of_arn(tx: &Tx<'_>, arn: &str) -> Result<LogGroup, ApiError> {
    if arn.ends_with('*') {
        return Err(constraint("resourceArn", arn, r"satisfy regular expression pattern: [\w+=/:,.@-]*"));
    }
    group::by_arn(tx, arn)
}

fn add(
    endpoint: &Endpoint,
    tags: BTreeMap<String, String>,
    find: impl FnOnce(&Tx<'_>) -> Result<LogGroup, ApiError>,
) -> Result<Value, ApiError> {
    check(&tags)?;
    endpoint.store.write(|tx| {
        let mut group = find(tx)?;
        group.tags.extend(tags);
        // CloudFormation's own tags do not count.
        if group.tags.keys().filter(|key| !key.starts_with("aws:")).count() > MAX_TAGS {
            return Err(ApiError::new(
                "TooManyTagsException",
                format!("The resource {} would have more than {MAX_TAGS} tags.", group.arn),
            )
            .with("resourceName", group.arn));
        }
        tx.put(&group)
    })?;
    Ok(json!({}))
}

fn remove(
    endpoint: &Endpoint,
    keys: &[String],
    find: impl FnOnce(&Tx<'_>) -> Result<LogGroup, ApiError>,
) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut group = find(tx)?;
        group.tags.retain(|key, _| !keys.contains(key));
        tx.put(&group)
    })?;
    Ok(json!({}))
}
