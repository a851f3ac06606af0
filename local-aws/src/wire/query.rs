//! The query protocol's input: `Tags.member.1.Key=a` (EC2: `Filter.1.Name=a`) to nested JSON.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::message::Request;
use crate::error::ApiError;

/// Levels of a dotted name. The deepest of AWS's models has eight; what reads the tree calls itself for each.
const MAX_LEVELS: usize = 16;

/// Members of a form. 200 parameters of a stack, each with its four, are 800.
const MAX_MEMBERS: usize = 5_000;

/// Bytes of a form. A template of 51,200 bytes takes three times as much when all of it is percent-encoded.
const MAX_BYTES: usize = 1024 * 1024;

/// A level of the tree that the dotted names draw.
#[derive(Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Self>,
}

impl Node {
    fn insert<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, value: String) {
        match path.next() {
            None => self.value = Some(value),
            Some(segment) => self.children.entry(segment.to_owned()).or_default().insert(path, value),
        }
    }

    // Children that are numbered are a list; `member` is only the list's wrapper.
    fn into_value(mut self) -> Value {
        if let Some(members) = self.children.remove("member").filter(|_| self.children.is_empty()) {
            return members.into_value();
        }
        if self.children.is_empty() {
            return Value::String(self.value.unwrap_or_default());
        }
        if self.children.keys().all(|key| key.parse::<u32>().is_ok()) {
            let mut items: Vec<(u32, Self)> =
                self.children.into_iter().filter_map(|(key, node)| Some((key.parse().ok()?, node))).collect();
            items.sort_by_key(|(index, _)| *index);
            return items.into_iter().map(|(_, node)| node.into_value()).collect();
        }
        Value::Object(self.children.into_iter().map(|(key, node)| (key, node.into_value())).collect())
    }
}

/// Reads a form.
///
/// # Errors
/// `MalformedQueryString` for a form that no operation of AWS has: too long, with too many members or levels.
pub(super) fn decode(body: &Bytes) -> Result<Request, ApiError> {
    if body.len() > MAX_BYTES {
        return Err(malformed(format!("a form of {} bytes; at most {MAX_BYTES} are read", body.len())));
    }
    let mut root = Node::default();
    let mut operation = None;
    for (index, (key, value)) in form_urlencoded::parse(body).enumerate() {
        if index == MAX_MEMBERS {
            return Err(malformed(format!("more than {MAX_MEMBERS} members")));
        }
        match key.as_ref() {
            "Action" => operation = Some(value.into_owned()),
            "Version" => {}
            path if path.split('.').count() > MAX_LEVELS => {
                let start: String = path.chars().take(40).collect();
                return Err(malformed(format!("the member {start}... has more than {MAX_LEVELS} levels")));
            }
            path => root.insert(path.split('.'), value.into_owned()),
        }
    }
    let operation =
        operation.ok_or_else(|| ApiError::new("MissingAction", "The request must contain the parameter Action."))?;
    let input = if root.children.is_empty() { Value::Object(serde_json::Map::new()) } else { root.into_value() };
    Ok(Request { operation, input })
}

fn malformed(why: String) -> ApiError {
    ApiError::new("MalformedQueryString", format!("The query string contains a syntax error: {why}.")).status(404)
}

/// Deserializes a boolean of the query protocol, which arrives as text.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom(format!("'{text}' is not a boolean (true or false)")))
}

/// Deserializes a number of the query protocol, which arrives as text.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom(format!("'{text}' is not a whole number")))
}

/// Deserializes a list of the query protocol; an empty one arrives as empty text.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        value => serde_json::from_value(value).map_err(serde::de::Error::custom),
    }
}

/// The same for a list whose absence means something else than an empty one.
pub(crate) fn optional_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    list(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dotted_names_become_lists_and_structures() {
        let body = Bytes::from_static(
            b"Action=X&Version=1&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=1&Filter.1.Value.1=v&Name=n&Empty=",
        );
        let call = decode(&body).unwrap();
        assert_eq!(call.operation, "X");
        assert_eq!(
            call.input,
            json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}], "Filter": [{"Value": ["v"]}], "Name": "n", "Empty": ""})
        );
    }

    #[test]
    fn more_than_nine_members_keep_their_order() {
        let body: String = (1..=12).map(|n| format!("L.member.{n}={n}&")).collect();
        let call = decode(&Bytes::from(format!("{body}Action=X"))).unwrap();
        assert_eq!(call.input["L"].as_array().unwrap().len(), 12);
        assert_eq!(call.input["L"][11], "12");
    }

    #[test]
    fn forms_that_are_too_much_are_refused_before_they_are_a_tree() {
        let levels = |count: usize| format!("Action=X&{}=x", vec!["A"; count].join("."));
        let members = |count: usize| (1..count).map(|n| format!("L.member.{n}=x&")).collect::<String>() + "Action=X";
        let decode = |form: String| decode(&Bytes::from(form)).map(drop);
        assert_eq!(decode(levels(MAX_LEVELS)), Ok(()));
        assert_eq!(decode(members(MAX_MEMBERS)), Ok(()));
        for form in [levels(MAX_LEVELS + 1), levels(10_000), members(MAX_MEMBERS + 1), "A".repeat(MAX_BYTES + 1)] {
            assert_eq!(decode(form).unwrap_err().code, "MalformedQueryString");
        }
    }
}
