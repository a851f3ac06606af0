//! A tag as CloudFormation's templates and most APIs write it.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// The tags with those of `more` in and over them.
pub(crate) fn over(mut tags: BTreeMap<String, String>, more: &[Tag]) -> BTreeMap<String, String> {
    tags.extend(more.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    tags
}
