//! Properties against their schema, in CloudFormation's words.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::document::Schema;
use crate::cloudformation::resources::{self, Refused};
use crate::cloudformation::template::{Place, unknown};
use crate::error::ApiError;

/// Refuses properties that only the resource itself can say.
pub(super) fn read_only(schema: &Schema, place: &Place<'_>, properties: &Value) -> Result<(), ApiError> {
    for path in schema.paths("readOnlyProperties") {
        if let Some((_, found)) = find(properties, &path, String::new()).into_iter().next() {
            return Err(place.wrong(
                &parent(&found),
                format_args!(
                    "extraneous key [{}] is not permitted: it is read-only",
                    path.last().copied().unwrap_or_default()
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses properties that this endpoint does not do.
pub(super) fn refused(schema: &Schema, place: &Place<'_>, properties: &Value, paths: &[&str]) -> Result<(), ApiError> {
    for path in paths {
        let steps: Vec<_> = path.split('/').collect();
        if let Some((_, found)) = find(properties, &steps, String::new()).into_iter().next() {
            return Err(place.wrong(
                &found,
                format_args!("{} property {path} is not supported by the local endpoint", schema.type_name),
            ));
        }
    }
    Ok(())
}

/// Refuses values that this endpoint does not do. What is not known yet is taken to be right.
pub(super) fn refused_values(schema: &Schema, place: &Place<'_>, properties: &Value) -> Result<(), ApiError> {
    let Some(resource_type) = resources::find(&schema.type_name) else { return Ok(()) };
    let refusal = |pointer: &str, what: String| {
        place.wrong(pointer, format_args!("{} {what} is not supported by the local endpoint", schema.type_name))
    };
    for refused in resource_type.refused_values() {
        let path = refused.path();
        let steps: Vec<_> = path.split('/').collect();
        let found = find(properties, &steps, String::new());
        match refused {
            Refused::Value(_, values) => {
                let bad = found.iter().find(|(value, _)| values.contains(&plain(value).as_str()));
                if let Some((value, pointer)) = bad {
                    return Err(refusal(pointer, format!("property {path} with the value {}", plain(value))));
                }
            }
            Refused::Without(_, needed) => {
                let has = |value: &Value| {
                    unknown::is_in(value) || value.as_array().is_some_and(|items| items.iter().any(|it| it == needed))
                };
                if !found.iter().any(|(value, _)| has(value)) {
                    return Err(refusal(&format!("/{path}"), format!("property {path} without {needed}")));
                }
            }
            Refused::Several(_) => {
                let many = found.iter().find(|(value, _)| value.as_array().is_some_and(|items| items.len() > 1));
                if let Some((_, pointer)) = many {
                    return Err(refusal(pointer, format!("property {path} with more than one item")));
                }
            }
        }
    }
    Ok(())
}

/// The values at a path with `*`, each with its pointer.
fn find<'a>(value: &'a Value, path: &[&str], pointer: String) -> Vec<(&'a Value, String)> {
    let Some((step, rest)) = path.split_first() else { return vec![(value, pointer)] };
    match value {
        Value::Array(items) if *step == "*" => {
            items.iter().enumerate().flat_map(|(index, item)| find(item, rest, format!("{pointer}/{index}"))).collect()
        }
        Value::Object(members) if *step == "*" => {
            members.iter().flat_map(|(name, member)| find(member, rest, format!("{pointer}/{name}"))).collect()
        }
        Value::Object(members) => {
            members.get(*step).map(|member| find(member, rest, format!("{pointer}/{step}"))).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn parent(pointer: &str) -> String {
    pointer.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default()
}

impl Place<'_> {
    /// What is wrong below this place, which goes in front as in CloudFormation's own messages about properties.
    fn wrong(&self, pointer: &str, message: impl std::fmt::Display) -> ApiError {
        ApiError::new("ValidationError", format!("{self}{pointer}: {message}"))
    }
}

/// Holds the properties against the whole schema.
pub(super) fn valid(schema: &Schema, place: &Place<'_>, properties: &Value) -> Result<(), ApiError> {
    let messages = mistakes(schema, properties)?;
    if messages.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = messages.into_iter().map(|(pointer, message)| format!("{place}{pointer}: {message}")).collect();
    Err(ApiError::new("ValidationError", lines.join("; ")))
}

/// What is wrong with the properties, each with its pointer.
pub(super) fn mistakes(schema: &Schema, properties: &Value) -> Result<Vec<Message>, ApiError> {
    let validator = schema.validator()?;
    let mut messages = Vec::new();
    for error in validator.iter_errors(properties) {
        if is_certain(&schema.document, &error) {
            describe(&schema.document, &error, &mut messages);
        }
    }
    messages.dedup();
    Ok(messages)
}

/// Whether the error stays whatever the unknown values turn out to be.
fn is_certain(root: &Value, error: &ValidationError<'_>) -> bool {
    use ValidationErrorKind as Kind;
    let instance = error.instance().as_ref();
    match error.kind() {
        Kind::Required { .. } | Kind::AdditionalProperties { .. } | Kind::MinItems { .. } | Kind::MaxItems { .. } => {
            true
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().all(|branch| branch.iter().any(|error| is_certain(root, error)))
        }
        Kind::OneOfMultipleValid { .. } | Kind::Not { .. } => {
            let keyword = root.pointer(error.schema_path().as_str());
            !unknown::is_in(instance) || keyword.is_some_and(asks_for_keys_only)
        }
        // A list or an object stays one whatever is in it.
        Kind::Type { .. } => !instance.is_string() || !unknown::is_in(instance),
        _ => !unknown::is_in(instance),
    }
}

/// Whether this part of a schema looks at which keys there are, and at no value.
fn asks_for_keys_only(schema: &Value) -> bool {
    match schema {
        Value::Array(parts) => parts.iter().all(asks_for_keys_only),
        Value::Object(keywords) => keywords.iter().all(|(name, part)| {
            name == "required" || (matches!(name.as_str(), "anyOf" | "oneOf" | "allOf") && asks_for_keys_only(part))
        }),
        _ => false,
    }
}

/// A pointer below the properties, and what is wrong there.
pub(crate) type Message = (String, String);

/// What is wrong, where. Of alternatives only the one that was meant, if that can be told.
fn describe(root: &Value, error: &ValidationError<'_>, messages: &mut Vec<Message>) {
    use ValidationErrorKind as Kind;
    let pointer = error.instance_path().to_string();
    if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = error.kind()
        && let Some(branch) = meant(context, &pointer)
    {
        for error in branch.iter().filter(|error| is_certain(root, error)) {
            describe(root, error, messages);
        }
        return;
    }
    messages.push((pointer, message(root, error)));
}

/// The only branch for values of this type.
fn meant<'e>(
    branches: &'e [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'e Vec<ValidationError<'static>>> {
    let mut candidates = branches.iter().filter(|branch| {
        !branch.iter().any(|error| {
            matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance_path().as_str() == pointer
        })
    });
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first)
}

fn message(root: &Value, error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let instance = error.instance().as_ref();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let keys: Vec<_> =
                unexpected.iter().map(|key| format!("extraneous key [{key}] is not permitted")).collect();
            keys.join("; ")
        }
        Kind::Required { property } => format!("required key [{}] not found", plain(property)),
        Kind::Type { kind } => format!("expected type: {}, found: {}", expected(kind), found(instance)),
        Kind::Enum { options } => format!("{} is not a valid enum value, one of {}", plain(instance), list(options)),
        Kind::Constant { expected_value } => format!("{} is not {}", plain(instance), plain(expected_value)),
        Kind::Pattern { pattern } => format!("string [{}] does not match pattern {pattern}", plain(instance)),
        Kind::Format { format } => format!("string [{}] is not of the format {format}", plain(instance)),
        Kind::MaxLength { limit } => format!("expected maxLength: {limit}, actual: {}", size(instance)),
        Kind::MinLength { limit } => format!("expected minLength: {limit}, actual: {}", size(instance)),
        Kind::MaxItems { limit } => format!("expected maximum item count: {limit}, found: {}", size(instance)),
        Kind::MinItems { limit } => format!("expected minimum item count: {limit}, found: {}", size(instance)),
        Kind::Minimum { limit } => format!("{} is not greater or equal to {limit}", plain(instance)),
        Kind::Maximum { limit } => format!("{} is not less or equal to {limit}", plain(instance)),
        Kind::UniqueItems => "array items are not unique".to_owned(),
        Kind::AnyOf { .. } => match asked_keys(root, error) {
            Some(keys) => format!("at least one of the keys [{keys}] is required"),
            None => "no subschema matched".to_owned(),
        },
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => match asked_keys(root, error) {
            Some(keys) => format!("exactly one of the keys [{keys}] is required"),
            None => "exactly one subschema has to match".to_owned(),
        },
        Kind::Not { schema } => match keys_in(schema) {
            keys if keys.is_empty() => "a value that is not permitted here".to_owned(),
            keys => format!("the key [{}] is not permitted beside the other keys", keys.join(", ")),
        },
        _ => error.to_string(),
    }
}

/// The keys between which the alternatives choose.
fn asked_keys(root: &Value, error: &ValidationError<'_>) -> Option<String> {
    let alternatives = root.pointer(error.schema_path().as_str()).filter(|schema| asks_for_keys_only(schema))?;
    Some(keys_in(alternatives).join(", "))
}

fn keys_in(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Array(parts) => parts.iter().flat_map(keys_in).collect(),
        Value::Object(keywords) => keywords
            .iter()
            .flat_map(|(name, part)| match (name.as_str(), part) {
                ("required", Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                (_, part) => keys_in(part),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A value as text, without quotes, and without marks of what is not known.
fn plain(value: &Value) -> String {
    match unknown::shown(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn list(options: &Value) -> String {
    let options: Vec<_> = options.as_array().into_iter().flatten().map(plain).collect();
    format!("[{}]", options.join(", "))
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        _ => 0,
    }
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(name) => type_name(&name.to_string()),
        TypeKind::Multiple(names) => {
            names.iter().map(|name| type_name(&name.to_string())).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn found(value: &Value) -> String {
    type_name(match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}

/// The names that CloudFormation's validator has for the types.
fn type_name(name: &str) -> String {
    match name {
        "object" => "JSONObject".to_owned(),
        "array" => "JSONArray".to_owned(),
        other => other[..1].to_uppercase() + &other[1..],
    }
}
