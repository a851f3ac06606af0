//! Pages of the service's lists.

use serde_json::{Value, json};

use super::refusal::{bad_token, constraint};
use crate::error::ApiError;
use crate::paging::page;

/// Which page of a list is wanted.
pub(super) struct Page<'a> {
    pub(super) next_token: Option<&'a str>,
    pub(super) limit: Option<i64>,
}

impl Page<'_> {
    /// The page of items that are sorted by `key`, as `member` of the answer.
    pub(super) fn of<T>(
        &self,
        member: &str,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
        show: impl Fn(&T) -> Value,
    ) -> Result<Value, ApiError> {
        let limit = match self.limit.unwrap_or(100) {
            limit @ ..1 => return Err(constraint("limit", limit, "have value greater than or equal to 1")),
            limit @ 101.. => return Err(constraint("limit", limit, "have value less than or equal to 100")),
            limit => usize::try_from(limit).unwrap_or(100),
        };
        let (items, token) = page(items, key, false, self.next_token, limit, bad_token)?;
        let mut answer = json!({member: items.iter().map(show).collect::<Value>()});
        if let Some(token) = token {
            answer["NextToken"] = json!(token);
        }
        Ok(answer)
    }
}
