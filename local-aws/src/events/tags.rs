//! The calls for tags of rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::not_found;
use super::rule::Rule;
use super::tag::{self, Tag};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Tagged;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: &TagResource) -> Result<Value, ApiError> {
    let tags = tag::read(&input.tags)?;
    endpoint.store.write(|tx| {
        let mut rule = find(endpoint, tx, &input.resource_arn)?;
        rule.tags.extend(tags);
        tag::check_count(&rule.tags)?;
        tx.put(&rule)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UntagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(rename = "TagKeys")]
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: &UntagResource) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut rule = find(endpoint, tx, &input.resource_arn)?;
        rule.tags.retain(|key, _| !input.tag_keys.contains(key));
        tx.put(&rule)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTagsForResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

pub(super) fn list_tags_for_resource(endpoint: &Endpoint, input: &ListTagsForResource) -> Result<Value, ApiError> {
    let rule = endpoint.store.read(|tx| find(endpoint, tx, &input.resource_arn))?;
    Ok(json!({"Tags": tag::shown(&rule.tags)}))
}

fn find(endpoint: &Endpoint, tx: &Tx<'_>, arn: &str) -> Result<Rule, ApiError> {
    let prefix = endpoint.arn("events", "rule/");
    let Some(name) = arn.strip_prefix(&prefix) else {
        return Err(not_found(format!("Resource {arn} does not exist.")));
    };
    Rule::find(tx, name.strip_prefix("default/").unwrap_or(name))
}

/// Every tagged resource of the service.
pub(super) fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let rules = tx.list::<Rule>()?.into_iter().filter(|rule| !rule.tags.is_empty());
    Ok(rules.map(|rule| Tagged { arn: rule.arn, tags: rule.tags }).collect())
}
