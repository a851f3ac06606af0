//! What a whole pattern says: each field that it names, and `$or`.

use super::document::Document;
use super::matcher::Matcher;
use super::operators::matcher;
use super::refusal::invalid;
use crate::error::ApiError;

/// What is asked of one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// The names on the way to it, with dots between them.
    pub(super) path: String,
    /// One of these is enough.
    pub(super) matchers: Vec<Matcher>,
}

/// All of these.
pub(super) type Conjunction = Vec<Field>;

/// How many conjunctions `$or` may make of a pattern: it doubles them, and a short text could fill the memory.
const MOST_CONJUNCTIONS: usize = 1000;

/// An object in which one of these is a key is no alternative of `$or`, and the `$or` is an ordinary field.
const RESERVED: &[&str] = &[
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Reads a pattern: any of the conjunctions is enough.
pub(super) fn conjunctions(pattern: &Document) -> Result<Vec<Conjunction>, ApiError> {
    match pattern {
        Document::Object(members) => under("", members, &[Conjunction::new()]),
        _ => Err(invalid("Filter is not an object")),
    }
}

/// What an object adds to each of `before`.
fn under(path: &str, members: &[(String, Document)], before: &[Conjunction]) -> Result<Vec<Conjunction>, ApiError> {
    if members.is_empty() {
        return Err(invalid("Empty objects are not allowed"));
    }
    let mut all = before.to_vec();
    for (key, value) in members {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        all = match (value, alternatives(key, value)) {
            (_, Some(objects)) => {
                let mut each = Vec::new();
                for object in objects {
                    each.extend(under(path, object, &all)?);
                }
                each
            }
            (Document::Object(members), None) => under(&inner, members, &all)?,
            (Document::Array(values), None) => {
                let field = field(inner, values)?;
                all.iter().map(|conjunction| with(conjunction, &field)).collect()
            }
            (Document::Scalar(_), None) => {
                return Err(invalid(format!("\"{key}\" must be an object or an array")));
            }
        };
        if all.len() > MOST_CONJUNCTIONS {
            return Err(ApiError::unsupported(format!(
                "A pattern of more than {MOST_CONJUNCTIONS} combinations by $or"
            )));
        }
    }
    Ok(all)
}

/// The objects of an `$or` that is one.
fn alternatives<'a>(key: &str, value: &'a Document) -> Option<Vec<&'a [(String, Document)]>> {
    let Document::Array(list) = value else { return None };
    if key != "$or" || list.len() < 2 {
        return None;
    }
    let object = |one: &'a Document| match one {
        Document::Object(members) if !members.iter().any(|(key, _)| RESERVED.contains(&key.as_str())) => {
            Some(members.as_slice())
        }
        _ => None,
    };
    list.iter().map(object).collect()
}

fn field(path: String, values: &[Document]) -> Result<Field, ApiError> {
    if values.is_empty() {
        return Err(invalid("Empty arrays are not allowed"));
    }
    Ok(Field { path, matchers: values.iter().map(matcher).collect::<Result<_, _>>()? })
}

/// The conjunction with one field more: the later of two for one path counts.
fn with(conjunction: &Conjunction, field: &Field) -> Conjunction {
    let others = conjunction.iter().filter(|other| other.path != field.path).cloned();
    others.chain([field.clone()]).collect()
}
