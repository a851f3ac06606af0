//! The calls on stacks: one file for each family, one function for each call.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod describe;
pub(super) mod events;
pub(super) mod exports;
pub(super) mod resources;
pub(super) mod templates;
pub(super) mod update;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::invalid;
use crate::error::ApiError;

/// How many stacks, resources, exports or change sets a page has.
const PAGE: usize = 100;

/// Reads a call's input.
pub(super) fn decode<T: DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    crate::wire::decode("ValidationError", operation, input)
}

/// One page of a list; the token is where the next one begins.
pub(super) fn page<T>(items: Vec<T>, token: Option<&str>) -> Result<(Vec<T>, Option<String>), ApiError> {
    let start: usize = match token {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid(format!("The NextToken {token} is not valid")))?,
    };
    let next = (items.len() > start.saturating_add(PAGE)).then(|| (start + PAGE).to_string());
    Ok((items.into_iter().skip(start).take(PAGE).collect(), next))
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

/// The name of a stack or change set that is to be made.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), ApiError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if plain && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() <= 128 {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]* (1 to 128 characters)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_without_gap() {
        let items: Vec<usize> = (0..250).collect();
        let (first, token) = page(items.clone(), None).unwrap();
        let (second, token) = page(items.clone(), token.as_deref()).unwrap();
        let (third, token) = page(items.clone(), token.as_deref()).unwrap();
        assert_eq!(token, None);
        assert_eq!([first, second, third].concat(), items);
        assert!(page(items, Some("x")).is_err());
    }

    #[test]
    fn names_start_with_a_letter() {
        assert!(check_name("stackName", "FisStackVpc-2").is_ok());
        for name in ["", "2nd", "-a", "a_b", "ä"] {
            assert!(check_name("stackName", name).is_err(), "{name}");
        }
    }
}
