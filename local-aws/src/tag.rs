//! A tag as CloudFormation's templates and most APIs write it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// Whether this is text of a tag: letters, digits, spaces and `_ . : / = + - @`, as in the pattern that most of AWS's
/// models have (`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`).
pub(crate) fn is_text(text: &str) -> bool {
    let is_space = |character: char| character.is_whitespace() && !character.is_control();
    text.chars().all(|character| character.is_alphanumeric() || is_space(character) || "_.:/=+-@".contains(character))
}

/// The tags in a property: a list of keys and values, or a map.
pub(crate) fn of_property(property: Option<&Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match property {
        Some(Value::Array(list)) => list.iter().map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect(),
        Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        _ => BTreeMap::new(),
    }
}

/// The tags with those of `more` in and over them.
pub(crate) fn over(mut tags: BTreeMap<String, String>, more: &[Tag]) -> BTreeMap<String, String> {
    tags.extend(more.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    tags
}
