//! The paths into an event, a small part of JSONPath.

use serde_json::Value;

use crate::error::ApiError;

/// A path from the event inwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    Index(usize),
    /// `.*` and `[*]`
    All,
}

impl Path {
    /// # Errors
    /// AWS's refusal; what else there is in JSONPath by its name.
    pub(super) fn parse(path: &str, target_id: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::new("ValidationException", format!("InputPath for target {target_id} is invalid."));
        let mut rest = path.strip_prefix('$').ok_or_else(invalid)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let bracket = rest.strip_prefix('[');
            if bracket.is_some_and(|inner| inner.trim_start().starts_with(['\'', '"'])) {
                return Err(invalid());
            }
            let step = match bracket {
                Some(inner) => inner.split_once(']').and_then(|(inside, after)| Some((index(inside)?, after))),
                None => rest.strip_prefix('.').and_then(name),
            };
            let unsupported = || ApiError::unsupported(format!("The JSON path {path} in an input of a target"));
            let (step, after) = step.ok_or_else(unsupported)?;
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps })
    }

    /// What the path leads to; `None` when there is nothing.
    pub(super) fn find(&self, event: &Value) -> Option<Value> {
        let mut found = vec![event];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| step.from(value)).collect();
        }
        if self.steps.contains(&Step::All) {
            return Some(found.into_iter().cloned().collect());
        }
        found.first().map(|value| (*value).clone())
    }
}

impl Step {
    fn from<'e>(&self, value: &'e Value) -> Vec<&'e Value> {
        match self {
            Self::Name(name) => value.get(name).into_iter().collect(),
            Self::Index(index) => value.get(index).into_iter().collect(),
            Self::All => match value {
                Value::Array(elements) => elements.iter().collect(),
                Value::Object(fields) => fields.values().collect(),
                _ => Vec::new(),
            },
        }
    }
}

fn index(inside: &str) -> Option<Step> {
    match inside {
        "*" => Some(Step::All),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Step::Index),
        _ => None,
    }
}

fn name(text: &str) -> Option<(Step, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_/".contains(c));
    match name {
        "*" => Some((Step::All, after)),
        _ => is_name.then(|| (Step::Name(name.to_owned()), after)),
    }
}
