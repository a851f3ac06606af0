//! Tags of repositories.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::invalid;
use super::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tag::{Tag, is_text};

/// As AWS has it.
const MAX_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TagResource {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListTagsForResource {
    resource_arn: String,
}

/// The tags with those of `more` in and over them.
pub(super) fn with(mut tags: BTreeMap<String, String>, more: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    for tag in more {
        let length_fits = (1..=128).contains(&tag.key.len()) && tag.value.len() <= 256;
        if !length_fits || !is_text(&tag.key) || !is_text(&tag.value) || tag.key.starts_with("aws:") {
            let key = tag.key.escape_debug();
            let text = format!("Invalid parameter: the tag '{key}' has a key or value that AWS does not take.");
            return Err(ApiError::new("InvalidTagParameterException", text));
        }
        tags.insert(tag.key, tag.value);
    }
    if tags.len() > MAX_TAGS {
        let text = format!("A repository has at most {MAX_TAGS} tags.");
        return Err(ApiError::new("TooManyTagsException", text));
    }
    Ok(tags)
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: TagResource) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut repository = named_by_arn(endpoint, tx, &input.resource_arn)?;
        repository.settings.tags = with(std::mem::take(&mut repository.settings.tags), input.tags)?;
        tx.put(&repository)
    })?;
    Ok(json!({}))
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: UntagResource) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut repository = named_by_arn(endpoint, tx, &input.resource_arn)?;
        repository.settings.tags.retain(|key, _| !input.tag_keys.contains(key));
        tx.put(&repository)
    })?;
    Ok(json!({}))
}

pub(super) fn list_tags_for_resource(endpoint: &Endpoint, input: &ListTagsForResource) -> Result<Value, ApiError> {
    let repository = endpoint.store.read(|tx| named_by_arn(endpoint, tx, &input.resource_arn))?;
    let tags = &repository.settings.tags;
    Ok(json!({"tags": tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()}))
}

/// The repository of this ARN.
fn named_by_arn(endpoint: &Endpoint, tx: &Tx<'_>, arn: &str) -> Result<Repository, ApiError> {
    let name = arn
        .strip_prefix(&endpoint.arn("ecr", "repository/"))
        .ok_or_else(|| invalid(format!("Invalid parameter at 'resourceArn': '{arn}'")))?;
    Repository::get(endpoint, tx, name)
}
