//! The calls for tags of functions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::name::find;
use super::refusal::{constraint, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::tag::is_text;

/// Most tags of a resource.
const MAX_TAGS: usize = 50;

/// Refuses what AWS refuses of the tags that are not its own.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let own: Vec<_> = tags.iter().filter(|(key, _)| !key.starts_with("aws:")).collect();
    if own.len() > MAX_TAGS {
        return Err(invalid(format!("The number of tags exceeds the limit of {MAX_TAGS}.")));
    }
    for (key, value) in own {
        if key.is_empty() || key.chars().count() > 128 || !is_text(key) {
            return Err(constraint("tags", key, "have keys of 1 to 128 letters, digits, spaces and _.:/=+-@"));
        }
        if value.chars().count() > 256 || !is_text(value) {
            return Err(constraint("tags", value, "have values of up to 256 letters, digits, spaces and _.:/=+-@"));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct TagResource {
    resource: String,
    tags: BTreeMap<String, String>,
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: TagResource) -> Result<Value, ApiError> {
    if let Some(key) = input.tags.keys().find(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(invalid(format!("The tag key {key} begins with aws:, which is for AWS only.")));
    }
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.resource, None)?;
        function.tags.extend(input.tags);
        check(&function.tags)?;
        tx.put(&function)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UntagResource {
    #[serde(rename = "Resource")]
    resource: String,
    #[serde(default, rename = "tagKeys")]
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: &UntagResource) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.resource, None)?;
        function.tags.retain(|key, _| key.starts_with("aws:") || !input.tag_keys.contains(key));
        tx.put(&function)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListTags {
    resource: String,
}

pub(super) fn list_tags(endpoint: &Endpoint, input: &ListTags) -> Result<Value, ApiError> {
    let function = endpoint.store.read(|tx| find(endpoint, tx, &input.resource, None))?;
    Ok(json!({"Tags": function.tags}))
}
