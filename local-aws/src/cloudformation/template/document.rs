//! The text of a template to one plain value: short tags become the long form of their function.

use serde_json::{Map, Value};

use super::place::invalid;
use super::unknown::MARK;
use super::{json, yaml};
use crate::error::ApiError;

/// Largest template body that a call may carry.
pub(crate) const MAX_BODY: usize = 51_200;

/// Reads a template body. What begins with a brace is JSON, as for CloudFormation.
pub(super) fn read(body: &str) -> Result<Map<String, Value>, ApiError> {
    if body.len() > MAX_BODY {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length \
             less than or equal to {MAX_BODY}"
        )));
    }
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let value = if body.trim_start().starts_with('{') { json::read(body)? } else { yaml::read(body)? };
    let Value::Object(sections) = value else {
        return Err(invalid("Template format error: unsupported structure."));
    };
    for (name, section) in &sections {
        check_values(&mut vec![name], section)?;
    }
    Ok(sections)
}

fn check_values<'a>(path: &mut Vec<&'a str>, value: &'a Value) -> Result<(), ApiError> {
    match value {
        Value::Null => Err(invalid(format!("[/{}] 'null' values are not allowed in templates", path.join("/")))),
        Value::String(text) if text.contains(MARK) => Err(invalid(format!(
            "Template format error: [/{}] the character U+0000 is not allowed in templates",
            path.join("/")
        ))),
        Value::Array(items) => items.iter().try_for_each(|item| check_values(path, item)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            path.push(name);
            check_values(path, member)?;
            path.pop();
            Ok(())
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        read(body).unwrap_err().message
    }

    #[test]
    fn beginnings_and_line_ends() {
        for body in [
            "---\nA: b\n...\n",
            "\u{feff}A: b",
            "# words\r\nA: b\r\n",
            "{\"A\":\t\"b\"}",
            "\n  {\"A\": \"b\"}",
            "%YAML 1.1\n---\nA: b",
        ] {
            assert_eq!(Value::Object(read(body).unwrap()), serde_json::json!({"A": "b"}), "{body:?}");
        }
    }

    #[test]
    fn depth_has_an_end() {
        assert!(refusal(&"[".repeat(20_000)).contains("not well-formed"));
        assert!(refusal(&"{\"a\":".repeat(8_000)).contains("JSON not well-formed"));
    }

    #[test]
    fn what_is_no_template() {
        for (body, words) in [
            ("Resources:\n  A: 1\n  A: 2\n", "(line 3, column 3): duplicate key A"),
            ("{\"A\": {\"B\": 1, \"B\": 2}}", "JSON not well-formed. (line 1, column 22): duplicate key B"),
            ("{\"A\": ", "JSON not well-formed"),
            ("A: [", "YAML not well-formed"),
            ("A: b: c", "YAML not well-formed. (line 1, column"),
            ("", "unsupported structure"),
            ("just words", "unsupported structure"),
            ("- a", "unsupported structure"),
            ("A: 1\n---\nB: 2\n", "one YAML document"),
            ("A: !Foo 1", "unsupported tag !Foo"),
            ("A: !!binary aGk=", "unsupported tag"),
            ("A:\n  <<: {b: 1}\n", "hash merges"),
            ("A: &x {b: 1}\nB: *x\n", "Template error: YAML aliases are not allowed in CloudFormation templates"),
            ("A:\n  0123: x\n", "map keys must be strings; received numeric [83]"),
            ("A:\n  123: x\n", "map keys must be strings; received numeric [123]"),
            ("A:\n  yes: x\n", "map keys must be strings; received [true]; quote yes"),
            ("A:\n  ? [a]\n  : x\n", "map keys must be strings"),
            ("A:\n  B:\n", "[/A/B] 'null' values are not allowed in templates"),
            ("{\"A\": [null]}", "[/A] 'null' values are not allowed in templates"),
            ("{\"A\": \"\\u0000\"}", "[/A] the character U+0000"),
            ("A: *nowhere", "YAML not well-formed"),
        ] {
            assert!(refusal(body).contains(words), "{body:?}: {}", refusal(body));
        }
        assert!(refusal(&format!("A: {}", "x".repeat(MAX_BODY))).contains("less than or equal to 51200"));
    }
}
