//! Where two sets of properties differ.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::cloudformation::resources::Properties;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::cloudformation) struct Difference {
    /// A JSON pointer from the properties.
    pub(in crate::cloudformation) property_path: String,
    /// Text as it is, everything else as JSON; `null` where there is nothing.
    pub(in crate::cloudformation) expected_value: String,
    pub(in crate::cloudformation) actual_value: String,
    pub(in crate::cloudformation) difference_type: Kind,
}

/// What kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::cloudformation) enum Kind {
    /// An item of a list that is there and should not be.
    Add,
    /// Something that is not there.
    Remove,
    NotEqual,
}

/// All differences, in the order of their paths.
pub(in crate::cloudformation) fn differences(expected: &Properties, actual: &Properties) -> Vec<Difference> {
    let mut found = Vec::new();
    members(String::new(), expected, actual, &mut found);
    found
}

fn members(path: String, expected: &Properties, actual: &Properties, found: &mut Vec<Difference>) {
    let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    for name in names {
        let step = name.replace('~', "~0").replace('/', "~1");
        compare(format!("{path}/{step}"), expected.get(name), actual.get(name), found);
    }
}

fn compare(path: String, expected: Option<&Value>, actual: Option<&Value>, found: &mut Vec<Difference>) {
    let kind = match (expected, actual) {
        (Some(expected), Some(actual)) if expected == actual => return,
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => return members(path, expected, actual, found),
        (Some(Value::Array(expected)), Some(Value::Array(actual))) => {
            for index in 0..expected.len().max(actual.len()) {
                compare(format!("{path}/{index}"), expected.get(index), actual.get(index), found);
            }
            return;
        }
        (Some(_), Some(_)) => Kind::NotEqual,
        (None, _) => Kind::Add,
        (_, None) => Kind::Remove,
    };
    found.push(Difference {
        property_path: path,
        expected_value: shown(expected),
        actual_value: shown(actual),
        difference_type: kind,
    });
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "null".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_difference_has_its_path_and_kind() {
        let expected = json!({"A": 1, "B": {"c/d": "x"}, "L": [1], "M": [1, 2], "Same": [{}]});
        let actual = json!({"A": 2, "B": {}, "L": [1, {"n": true}], "M": [1], "Same": [{}]});
        let found = differences(expected.as_object().unwrap(), actual.as_object().unwrap());
        let found: Vec<_> = found
            .iter()
            .map(|it| {
                (it.property_path.as_str(), it.expected_value.as_str(), it.actual_value.as_str(), it.difference_type)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("/A", "1", "2", Kind::NotEqual),
                ("/B/c~1d", "x", "null", Kind::Remove),
                ("/L/1", "null", "{\"n\":true}", Kind::Add),
                ("/M/1", "2", "null", Kind::Remove),
            ]
        );
    }
}
