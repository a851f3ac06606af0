//! Dynamic references, `{{resolve:SERVICE:...}}`: CloudFormation puts the value of another service in their place.

use serde_json::Value;

use super::place::Place;
use crate::error::ApiError;

const BEGINNING: &str = "{{resolve:";

/// Refuses a value that has a dynamic reference in it: there is no service here to ask, and as literal text it would be a
/// wrong value.
///
/// # Errors
/// `ValidationError` that names the reference and the place.
pub(crate) fn refuse(place: &Place<'_>, value: &Value) -> Result<(), ApiError> {
    match value {
        Value::String(text) => refuse_in(place, text),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| refuse(&place.item(index), item)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| refuse(&place.member(name), member)),
        _ => Ok(()),
    }
}

/// The same for text.
pub(super) fn refuse_in(place: &Place<'_>, text: &str) -> Result<(), ApiError> {
    let Some((_, reference)) = text.split_once(BEGINNING) else { return Ok(()) };
    let reference = reference.split("}}").next().unwrap_or_default();
    let service = match reference.split(':').next().unwrap_or_default() {
        "ssm" | "ssm-secure" => "it has no Parameter Store",
        "secretsmanager" => "it has no Secrets Manager",
        _ => "it has no service to ask",
    };
    Err(place.error(format_args!(
        "The dynamic reference {BEGINNING}{reference}}}}} is not supported by the local endpoint: {service}"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_named_with_their_place() {
        let root = Place::root("Outputs");
        let refusal = |value: Value| refuse(&root, &value).unwrap_err().message;
        assert_eq!(
            refusal(json!({"A": ["x", "a-{{resolve:ssm:/p/q:1}}-b"]})),
            "The dynamic reference {{resolve:ssm:/p/q:1}} is not supported by the local endpoint: it has no Parameter \
             Store (Outputs/A/1)"
        );
        assert!(refusal(json!("{{resolve:secretsmanager:s:SecretString:k}}")).contains("no Secrets Manager"));
        assert!(refusal(json!("{{resolve:ssm-secure:p}}")).contains("no Parameter Store"));
        assert!(refusal(json!("{{resolve:other:p")).contains("{{resolve:other:p}}"));
        assert!(refuse(&root, &json!([1, "resolve:ssm", {"{{x}}": "{{resolve}}"}])).is_ok());
    }
}
