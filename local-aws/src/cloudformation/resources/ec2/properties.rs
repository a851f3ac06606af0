//! What all types of the family do with properties.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cloudformation::resources::resource_type::{Context, Properties};
use crate::error::ApiError;
use crate::tag::Tag;

/// The code of a property that cannot be.
pub(super) const INVALID: &str = "InvalidParameterValue";

/// Reads a resource's properties.
pub(super) fn read<T: DeserializeOwned>(properties: &Properties) -> Result<T, ApiError> {
    crate::wire::decode(INVALID, "properties", Value::Object(properties.clone()))
}

/// The resource's own tags over those of the stack.
pub(super) fn tags(cx: &Context<'_>, own: &[Tag]) -> Result<BTreeMap<String, String>, ApiError> {
    if let Some(reserved) = own.iter().find(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(ApiError::new(
            INVALID,
            format!("Tag keys starting with 'aws:' are reserved for internal use: {}", reserved.key),
        ));
    }
    Ok(cx.tags_over(own))
}

pub(super) fn attributes<const N: usize>(values: [(&str, Value); N]) -> Properties {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The attributes of a resource whose only one is its id.
pub(super) fn id_attribute(name: &str, id: &str) -> Properties {
    attributes([(name, json!(id))])
}
