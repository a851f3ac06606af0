//! Values that are known only after something has been created, in plans.
//!
//! A plan resolves a template before its resources are there. What a resource will give is then a mark: a string that
//! no template can contain, and that stays recognisable inside `Fn::Join` and `Fn::Sub`.

use serde_json::{Map, Value};

/// No template and no parameter may contain it; see `Template::parse` and `parameters::bind`.
pub(crate) const MARK: char = '\u{0}';

/// What DescribeChangeSet shows for a value that is not known yet.
pub(crate) const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// The mark of `Ref` (no attribute) or `Fn::GetAtt`.
pub(crate) fn value(logical_id: &str, attribute: Option<&str>) -> Value {
    Value::String(match attribute {
        Some(attribute) => format!("{MARK}{logical_id}.{attribute}{MARK}"),
        None => format!("{MARK}{logical_id}{MARK}"),
    })
}

/// Whether the value is, or contains, something unknown.
pub(crate) fn is_in(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(MARK),
        Value::Array(items) => items.iter().any(is_in),
        Value::Object(members) => members.values().any(is_in),
        _ => false,
    }
}

/// The value as a change set shows it: AWS's words in place of marks.
pub(crate) fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            // Marks come in pairs, so every second part lies within one.
            let parts = text.split(MARK).enumerate();
            parts.map(|(index, part)| if index % 2 == 0 { part } else { KNOWN_AFTER_APPLY }).collect::<String>().into()
        }
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), shown(member))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marks_are_found_and_shown() {
        let Value::String(mark) = value("Role", Some("Arn")) else { panic!("a mark is a string") };
        let inside = json!({"a": [1, format!("arn:{mark}/{mark}")], "b": true});
        assert!(is_in(&inside));
        assert!(!is_in(&json!({"a": ["Role.Arn"]})));
        assert_eq!(
            shown(&inside),
            json!({"a": [1, format!("arn:{KNOWN_AFTER_APPLY}/{KNOWN_AFTER_APPLY}")], "b": true})
        );
    }
}
