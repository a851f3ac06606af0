//! Pages of the list operations.

use serde_json::{Value, json};

use super::refusal::invalid;
use crate::error::ApiError;
use crate::paging::page;

/// Most results that a page may have.
const MAX_RESULTS: i64 = 100;

/// The page of `items` after the token: those that ECS names `member`. Items are (sort key, result), in their order.
pub(super) fn answer(
    member: &str,
    items: Vec<(String, String)>,
    descending: bool,
    max_results: Option<i64>,
    token: Option<&str>,
) -> Result<Value, ApiError> {
    let size = max_results.unwrap_or(MAX_RESULTS);
    let limit = usize::try_from(size)
        .ok()
        .filter(|_| (1..=MAX_RESULTS).contains(&size))
        .ok_or_else(|| invalid(format!("Invalid maxResults: {size} is not between 1 and {MAX_RESULTS}.")))?;
    let (items, next) = page(items, |(key, _)| key.clone(), descending, token, limit, || invalid("Invalid token."))?;
    let mut answer = json!({member: items.into_iter().map(|(_, result)| result).collect::<Vec<_>>()});
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}
