//! Tags of templates and experiments. They are maps here, not lists.

use std::collections::BTreeMap;

use super::refusal::invalid;
use crate::error::ApiError;
use crate::tag::is_text;

/// Tags.
pub(crate) type Tags = BTreeMap<String, String>;

/// Tags that one resource may have.
const MAX_TAGS: usize = 50;

/// Refuses tags that a person may not set.
pub(super) fn check(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("tags: at most {MAX_TAGS} are allowed, not {}.", tags.len())));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(invalid(format!("tags: the key '{key}' must have 1 to 128 characters.")));
        }
        if value.chars().count() > 256 {
            return Err(invalid(format!("tags: the value of '{key}' must have at most 256 characters.")));
        }
        if !is_text(key) || !is_text(value) {
            return Err(invalid(format!(
                "tags: '{}' may have letters, digits, spaces and _ . : / = + - @ only, and so may its value.",
                key.escape_debug()
            )));
        }
        if key.starts_with("aws:") {
            return Err(invalid(format!(
                "tags: '{key}': aws: prefixed tag key names are not allowed for external use."
            )));
        }
    }
    Ok(())
}
