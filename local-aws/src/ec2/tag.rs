//! Tags, as the records hold them and answers show them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Tags of a resource.
pub(crate) type Tags = BTreeMap<String, String>;

/// A `tagSet`.
pub(super) fn tag_set(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}
