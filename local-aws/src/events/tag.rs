//! Tags, as requests say them and records hold them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{constraint, invalid};
use crate::error::ApiError;
use crate::tag::is_text;

/// Tags that a rule may have.
const MAX_TAGS: usize = 50;

/// A tag as the API writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The tags of a request.
///
/// # Errors
/// Against AWS's limits.
pub(super) fn read(list: &[Tag]) -> Result<BTreeMap<String, String>, ApiError> {
    for Tag { key, value } in list {
        if key.is_empty() || key.chars().count() > 128 || !is_text(key) {
            return Err(constraint("tags", key.escape_debug(), "have keys of 1 to 128 letters, digits and _.:/=+-@"));
        }
        if value.chars().count() > 256 || !is_text(value) {
            return Err(constraint(
                "tags",
                value.escape_debug(),
                "have values of at most 256 letters, digits and _.:/=+-@",
            ));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    Ok(list.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
}

/// Refuses more tags than a rule may have; CloudFormation's own do not count.
pub(super) fn check_count(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.keys().filter(|key| !key.starts_with("aws:")).count() > MAX_TAGS {
        return Err(invalid(format!("The rule would have more than {MAX_TAGS} tags.")));
    }
    Ok(())
}

/// The tags of an answer.
pub(super) fn shown(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
