//! What a target gets instead of the whole event: the part that InputPath names, or what InputTransformer writes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ApiError;

/// `InputPath`: the target gets this part of the event.
#[derive(Debug, Clone)]
pub(super) struct InputPath {}

impl InputPath {
    /// Reads a path, as `$.detail`.
    ///
    /// # Errors
    /// AWS's refusal of a path that it does not take.
    pub(super) fn parse(_path: &str, _target_id: &str) -> Result<Self, ApiError> {
        Err(ApiError::unsupported("InputPath"))
    }

    /// The text for the target; `None` when AWS delivers nothing, because the event has no such part.
    pub(super) fn apply(&self, _event: &Value) -> Option<String> {
        None
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
    pub(super) ingestion_time: chrono::DateTime<chrono::Utc>,
}

/// `InputTransformer`: the target gets the template with its variables filled in.
#[derive(Debug, Clone)]
pub(super) struct InputTransformer {}

impl InputTransformer {
    /// Reads `InputPathsMap` and `InputTemplate`.
    ///
    /// # Errors
    /// AWS's refusal of a path, of a variable's name, or of a template with variables that are not there.
    pub(super) fn parse(
        _paths: &BTreeMap<String, String>,
        _template: &str,
        _target_id: &str,
    ) -> Result<Self, ApiError> {
        Err(ApiError::unsupported("InputTransformer"))
    }

    /// The text for the target; `None` when AWS delivers nothing, because it would not be JSON.
    pub(super) fn apply(&self, _event: &Value, _about: &Circumstances<'_>) -> Option<String> {
        None
    }
}
