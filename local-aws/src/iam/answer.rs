//! Answers in pages.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::paging;

/// A page of `items`, which are sorted by `key`, as `show` makes them.
pub(super) fn page<T, K: Ord + Serialize + DeserializeOwned>(
    member: &str,
    items: Vec<T>,
    key: impl Fn(&T) -> K,
    show: impl Fn(&T) -> Value,
    marker: Option<&str>,
    max_items: Option<i64>,
) -> Result<Value, ApiError> {
    let invalid = |what: &str| ApiError::new("ValidationError", format!("Invalid {what}."));
    let size = match max_items.unwrap_or(100) {
        size @ 1..=1000 => usize::try_from(size).unwrap_or(100),
        _ => return Err(invalid("MaxItems: it must be between 1 and 1000")),
    };
    let (items, marker) = paging::page(items, key, false, marker, size, || invalid("Marker"))?;
    let mut output = json!({"IsTruncated": marker.is_some()});
    output[member] = items.iter().map(show).collect();
    if let Some(marker) = marker {
        output["Marker"] = json!(marker);
    }
    Ok(output)
}
