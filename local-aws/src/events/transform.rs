//! What a target gets instead of the whole event: the part that `InputPath` names, or what `InputTransformer` writes.
//!
//! # Paths
//! `$` is the event; `.name` (letters, digits, `-`, `_`, `/`), `[0]`, `.*` and `[*]` lead on from there. With a star a
//! path stands for the list of all that it leads to.
//!
//! # Templates
//! Variables of `InputPathsMap` stand in a template as `<name>`; so do `<aws.events.rule-arn>`, `<aws.events.rule-name>`,
//! `<aws.events.event.ingestion-time>`, `<aws.events.event>` (the event without its detail) and
//! `<aws.events.event.json>` (with it).
//! - A JSON object: a variable in the place of a value is that value, text with its quotes; one that the event does not
//!   have is an empty text. Inside of quotes it is put in as it is, without escapes: when the result is no JSON, because
//!   the value is an object or has a quote in it, then AWS delivers nothing, and so does this. The target gets the JSON
//!   without blanks.
//! - A text in quotes, or several, one a line: the target gets it with its quotes. Objects and lists are put in without
//!   the quotes of theirs.

mod path;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use self::path::Path;
use self::template::{Reserved, Template};
use crate::error::ApiError;

/// `InputPath`: the target gets this part of the event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InputPath {
    path: Path,
}

impl InputPath {
    /// Reads a path, as `$.detail`.
    ///
    /// # Errors
    /// AWS's refusal of a path that it does not take.
    pub(super) fn parse(path: &str, target_id: &str) -> Result<Self, ApiError> {
        Ok(Self { path: Path::parse(path, target_id)? })
    }

    /// The text for the target; `None` when AWS delivers nothing, because the event has no such part.
    pub(super) fn apply(&self, event: &Value) -> Option<String> {
        self.path.find(event).map(|part| part.to_string())
    }
}

/// What a template may say beside what is in the event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    /// `<aws.events.rule-arn>`
    pub(super) rule_arn: &'a str,
    /// `<aws.events.rule-name>`
    pub(super) rule_name: &'a str,
    /// `<aws.events.event.ingestion-time>`
    pub(super) ingestion_time: DateTime<Utc>,
}

/// `InputTransformer`: the target gets the template with its variables filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InputTransformer {
    paths: BTreeMap<String, Path>,
    template: Template,
}

impl InputTransformer {
    /// Reads `InputPathsMap` and `InputTemplate`.
    ///
    /// # Errors
    /// AWS's refusal of a path, of a variable's name, or of a template with variables that are not there.
    pub(super) fn parse(paths: &BTreeMap<String, String>, template: &str, target_id: &str) -> Result<Self, ApiError> {
        check_variables(paths)?;
        let paths = paths.iter().map(|(name, path)| Ok((name.clone(), Path::parse(path, target_id)?)));
        let paths = paths.collect::<Result<BTreeMap<_, _>, ApiError>>()?;
        let template = Template::parse(template, |name| paths.contains_key(name), target_id)?;
        Ok(Self { paths, template })
    }

    /// The text for the target; `None` when AWS delivers nothing, because it would not be JSON.
    pub(super) fn apply(&self, event: &Value, about: &Circumstances<'_>) -> Option<String> {
        self.template.fill(
            |name| self.paths.get(name)?.find(event),
            |reserved| match reserved {
                Reserved::RuleArn => about.rule_arn.into(),
                Reserved::RuleName => about.rule_name.into(),
                Reserved::IngestionTime => about.ingestion_time.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
                Reserved::Event => without_detail(event),
                Reserved::EventJson => event.clone(),
            },
        )
    }
}

/// As AWS gives it, with one name spelled otherwise.
fn without_detail(event: &Value) -> Value {
    let fields = event.as_object().into_iter().flatten().filter(|(name, _)| *name != "detail");
    let renamed = fields.map(|(name, value)| {
        let name = if name == "detail-type" { "detailType" } else { name };
        (name.to_owned(), value.clone())
    });
    Value::Object(renamed.collect::<Map<_, _>>())
}

/// What AWS's model says of the map.
fn check_variables(paths: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_name = |name: &String| {
        (1..=256).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let rule = if paths.len() > 100 {
        "Member must have length less than or equal to 100"
    } else if !paths.keys().all(is_name) {
        r"Map keys must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [A-Za-z0-9\_\-]+]"
    } else if paths.values().any(|path| path.chars().count() > 256) {
        "Map value must satisfy constraint: [Member must have length less than or equal to 256]"
    } else {
        return Ok(());
    };
    Err(ApiError::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value at 'targets.member.inputTransformer.inputPathsMap' failed to satisfy constraint: {rule}"
        ),
    ))
}
