//! Scalars in the types that the schema wants: CloudFormation makes `"5"` a number, `256` a text and `"true"` a boolean.

use serde_json::{Number, Value};

use crate::cloudformation::template::{number, unknown};

/// Converts every scalar of `value` that is not of a type that `schema` takes. What cannot be converted stays.
pub(super) fn coerce(root: &Value, schema: &Value, value: &mut Value) {
    let mut views = Vec::new();
    collect(root, schema, &mut views);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                for member_schema in member_schemas(&views, name) {
                    coerce(root, member_schema, member);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                for item_schema in item_schemas(&views, index) {
                    coerce(root, item_schema, item);
                }
            }
        }
        scalar => {
            let types: Vec<&str> = views.iter().flat_map(|view| types(view)).collect();
            if let Some(converted) = convert(scalar, &types) {
                *scalar = converted;
            }
        }
    }
}

/// A schema and everything that it applies to the same value.
pub(super) fn collect<'a>(root: &'a Value, schema: &'a Value, views: &mut Vec<&'a Value>) {
    // A schema that refers to itself adds nothing the second time.
    if views.iter().any(|view| std::ptr::eq(*view, schema)) {
        return;
    }
    views.push(schema);
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'))
        && let Some(target) = root.pointer(target)
    {
        collect(root, target, views);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            collect(root, part, views);
        }
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn member_schemas<'a>(views: &[&'a Value], name: &str) -> Vec<&'a Value> {
    let named: Vec<_> = views.iter().filter_map(|view| view.get("properties")?.get(name)).collect();
    if !named.is_empty() {
        return named;
    }
    // The schemas write maps as patterns of keys with values of one kind.
    let patterns =
        views.iter().filter_map(|view| view.get("patternProperties")?.as_object()).flat_map(|map| map.values());
    let rest = views.iter().filter_map(|view| view.get("additionalProperties"));
    patterns.chain(rest).filter(|schema| schema.is_object()).collect()
}

pub(super) fn item_schemas<'a>(views: &[&'a Value], index: usize) -> Vec<&'a Value> {
    views
        .iter()
        .filter_map(|view| match view.get("items")? {
            Value::Array(schemas) => schemas.get(index),
            schema => Some(schema),
        })
        .collect()
}

fn convert(value: &Value, types: &[&str]) -> Option<Value> {
    let takes = |name: &str| types.contains(&name);
    match value {
        Value::String(text) if !types.is_empty() && !takes("string") && !unknown::is_in(value) => {
            let integer = || takes("integer").then(|| integer(text)).flatten();
            let number = || takes("number").then(|| text.trim().parse().ok().and_then(Number::from_f64)).flatten();
            let boolean = || takes("boolean").then(|| boolean(text)).flatten();
            integer().or_else(number).map(Value::Number).or_else(|| boolean().map(Value::Bool))
        }
        Value::Number(number) if takes("integer") && number.is_f64() => integer(&number.to_string()).map(Value::Number),
        Value::Number(number) if takes("string") && !takes("number") && !takes("integer") => {
            Some(number::text(number).into())
        }
        Value::Bool(flag) if takes("string") && !takes("boolean") => Some(flag.to_string().into()),
        _ => None,
    }
}

/// A whole number, also as `5.0`: the value of a parameter of type Number may be written so.
fn integer(text: &str) -> Option<Number> {
    let text = text.trim();
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'));
    whole.map_or(text, |(whole, _)| whole).parse::<i64>().ok().map(Number::from)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Whether a value could stand at this path (`*` for list items and map keys).
#[cfg(test)]
pub(super) fn knows(root: &Value, schema: &Value, path: &[&str]) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    let mut views = Vec::new();
    collect(root, schema, &mut views);
    let mut within = if *step == "*" { item_schemas(&views, 0) } else { Vec::new() };
    within.extend(member_schemas(&views, step));
    within.into_iter().any(|schema| knows(root, schema, rest))
}
