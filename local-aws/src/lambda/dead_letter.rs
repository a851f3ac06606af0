//! Where events go that could not be handled: `DeadLetterConfig`, and the destinations of EventInvokeConfig.

use serde::Deserialize;

use super::refusal::invalid;
use crate::error::ApiError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct DeadLetterConfig {
    target_arn: Option<String>,
}

impl DeadLetterConfig {
    /// The queue; an empty text takes it away.
    pub(super) fn queue(self) -> Result<Option<String>, ApiError> {
        let arn = self.target_arn.filter(|arn| !arn.is_empty());
        arn.map(|arn| queue(&arn, "dead-letter target")).transpose()
    }
}

/// The ARN of a queue; others are refused by their service's name.
pub(super) fn queue(arn: &str, what: &str) -> Result<String, ApiError> {
    match arn.split(':').nth(2) {
        Some("sqs") if arn.starts_with("arn:") => Ok(arn.to_owned()),
        Some(service @ ("sns" | "lambda" | "events" | "s3")) => {
            Err(ApiError::unsupported(format!("A {what} of the service {service}")))
        }
        _ => Err(invalid(format!("The provided {what} ARN {arn} is not valid."))),
    }
}
