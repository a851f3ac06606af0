//! What answers are made of.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::bad_token;
use crate::error::ApiError;
use crate::paging;

/// How many stacks, resources, exports or change sets a page has.
const PAGE: usize = 100;

/// The service's timestamps.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A page of a list that is sorted by `key`, and the token of the next.
pub(super) fn page<T, K: Ord + Serialize + DeserializeOwned>(
    items: Vec<T>,
    key: impl Fn(&T) -> K,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    page_of(items, key, token, PAGE)
}

/// The same where the caller says how many items a page has.
pub(super) fn page_of<T, K: Ord + Serialize + DeserializeOwned>(
    items: Vec<T>,
    key: impl Fn(&T) -> K,
    token: Option<&str>,
    limit: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    paging::page(items, key, false, token, limit, || bad_token(token.unwrap_or_default()))
}

/// An answer with a list and the token of its next page.
pub(super) fn listed(member: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut output = serde_json::Map::new();
    output.insert(member.to_owned(), Value::Array(items));
    if let Some(next) = next {
        output.insert("NextToken".to_owned(), Value::String(next));
    }
    Value::Object(output)
}
