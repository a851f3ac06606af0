//! Pages of the service's lists.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{bad_token, invalid};
use crate::error::ApiError;
use crate::paging::page;

/// Which page of a list is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListPage {
    pub(super) max_results: Option<i64>,
    pub(super) next_token: Option<String>,
}

impl ListPage {
    /// The answer: under `member` this page of the items, which are sorted by `key`.
    pub(super) fn of<T, K: Ord + Serialize + DeserializeOwned>(
        &self,
        member: &str,
        items: Vec<T>,
        key: impl Fn(&T) -> K,
        show: impl Fn(&T) -> Value,
    ) -> Result<Value, ApiError> {
        let (items, token) = page(items, key, false, self.next_token.as_deref(), self.size()?, bad_token)?;
        let mut output = json!({member: items.iter().map(show).collect::<Vec<_>>()});
        if let Some(token) = token {
            output["nextToken"] = json!(token);
        }
        Ok(output)
    }

    /// The page size asked for, or the model's maximum.
    fn size(&self) -> Result<usize, ApiError> {
        match self.max_results {
            None => Ok(100),
            Some(asked @ 1..=100) => usize::try_from(asked).map_err(|_| invalid("maxResults")),
            Some(asked) => Err(invalid(format!("maxResults must be between 1 and 100, not {asked}."))),
        }
    }
}
