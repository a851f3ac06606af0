//! Pages of the list operations.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::invalid;
use crate::error::ApiError;

/// Most results that a page may have.
const MAX_RESULTS: i64 = 100;

/// The page of `items` after `token`. Items are (sort key, result), in the order of the list; the token names the last
/// key of the page before, so that an item that comes or goes in between shifts no other.
pub(super) fn page(
    member: &str,
    items: Vec<(String, String)>,
    descending: bool,
    max_results: Option<i64>,
    token: Option<&str>,
) -> Result<Value, ApiError> {
    let size = max_results.unwrap_or(MAX_RESULTS);
    if !(1..=MAX_RESULTS).contains(&size) {
        return Err(invalid(format!("Invalid maxResults: {size} is not between 1 and {MAX_RESULTS}.")));
    }
    let last = token
        .map(|token| URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()))
        .map(|key| key.ok_or_else(|| invalid("Invalid token.")))
        .transpose()?;
    let after = |key: &String| match &last {
        Some(last) if descending => key < last,
        Some(last) => key > last,
        None => true,
    };
    let mut rest = items.into_iter().filter(|(key, _)| after(key)).peekable();
    let mut results = Vec::new();
    let mut reached = String::new();
    while results.len() < usize::try_from(size).unwrap_or(usize::MAX)
        && let Some((key, result)) = rest.next()
    {
        results.push(result);
        reached = key;
    }
    let mut answer = json!({member: results});
    if rest.peek().is_some() {
        answer["nextToken"] = json!(URL_SAFE_NO_PAD.encode(reached));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_list_in_both_directions() {
        for descending in [false, true] {
            let mut items: Vec<_> = (0..25).map(|n| (format!("{n:02}"), format!("r{n}"))).collect();
            if descending {
                items.reverse();
            }
            let mut seen = Vec::new();
            let mut token: Option<String> = None;
            loop {
                let page = page("all", items.clone(), descending, Some(10), token.as_deref()).unwrap();
                seen.extend(page["all"].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()));
                match page["nextToken"].as_str() {
                    Some(next) => token = Some(next.to_owned()),
                    None => break,
                }
            }
            assert_eq!(seen, items.into_iter().map(|(_, result)| result).collect::<Vec<_>>());
        }
        assert!(page("all", Vec::new(), false, Some(0), None).is_err());
        assert!(page("all", Vec::new(), false, None, Some("?")).is_err());
    }
}
