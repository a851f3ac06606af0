//! Why a document is malformed.

use serde_json::Value;

use crate::error::ApiError;

/// Why a document is malformed.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl From<Refusal> for ApiError {
    fn from(Refusal(message): Refusal) -> Self {
        Self::new("MalformedPolicyDocument", message)
    }
}

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(message.into()))
}

pub(super) const SYNTAX: &str = "Syntax errors in policy.";

/// One text or a list of them; numbers and booleans count as their text.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Refusal> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => refuse(SYNTAX),
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}
