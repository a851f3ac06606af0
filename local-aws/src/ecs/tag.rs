//! Tags, as requests say them, records hold them and answers show them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::invalid;
use crate::error::ApiError;
use crate::tag::is_text;

/// Tags by their keys.
pub(crate) type Tags = BTreeMap<String, String>;

/// A tag as the API writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// The tags of a request.
///
/// # Errors
/// Against AWS's limits.
pub(crate) fn read(list: Vec<Tag>) -> Result<Tags, ApiError> {
    let length = list.len();
    let tags: Tags = list.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if tags.len() < length {
        return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    validate(&tags)?;
    Ok(tags)
}

fn validate(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(invalid("The number of tags exceeds the limit of 50."));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!(
                "The tag '{key}' is not valid: a key has 1 to 128 characters, a value at most 256."
            )));
        }
        if !is_text(key) || !is_text(value) {
            return Err(invalid(format!(
                "The tag '{}' is not valid: keys and values have letters, digits, spaces and _ . : / = + - @.",
                key.escape_debug()
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("The tag key '{key}' is not valid: the prefix aws: is reserved for AWS use.")));
        }
    }
    Ok(())
}

/// The tags of an answer.
pub(crate) fn shown(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}
