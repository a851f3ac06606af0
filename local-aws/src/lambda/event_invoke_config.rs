//! What becomes of asynchronous invocations: how often and how long they are tried, and who is told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::dead_letter;
use super::refusal::constraint;
use crate::error::ApiError;

/// Of events without a setting, as on AWS.
const MAXIMUM_RETRY_ATTEMPTS: u32 = 2;
const MAXIMUM_EVENT_AGE: u32 = 21_600;

/// The settings; what is not there is as without them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventInvokeConfig {
    pub(crate) maximum_retry_attempts: Option<u32>,
    pub(crate) maximum_event_age: Option<u32>,
    /// ARNs of queues.
    pub(crate) on_success: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(super) last_modified: DateTime<Utc>,
}

/// Settings as requests write them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Changes {
    pub(super) maximum_retry_attempts: Option<i64>,
    pub(super) maximum_event_age_in_seconds: Option<i64>,
    pub(super) destination_config: Option<DestinationConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct DestinationConfig {
    on_success: Option<Destination>,
    on_failure: Option<Destination>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Destination {
    destination: Option<String>,
}

impl EventInvokeConfig {
    /// Takes the changes over; nothing is written.
    pub(super) fn change(&mut self, changes: Changes) -> Result<(), ApiError> {
        if let Some(attempts) = changes.maximum_retry_attempts {
            self.maximum_retry_attempts = Some(within("maximumRetryAttempts", attempts, 0, 2)?);
        }
        if let Some(age) = changes.maximum_event_age_in_seconds {
            self.maximum_event_age = Some(within("maximumEventAgeInSeconds", age, 60, 21_600)?);
        }
        let queue = |one: Option<Destination>| {
            let arn = one.and_then(|one| one.destination).filter(|arn| !arn.is_empty());
            arn.map(|arn| dead_letter::queue(&arn, "destination")).transpose()
        };
        if let Some(config) = changes.destination_config {
            self.on_success = queue(config.on_success)?;
            self.on_failure = queue(config.on_failure)?;
        }
        self.last_modified = Utc::now();
        Ok(())
    }

    pub(super) fn retry_attempts(config: Option<&Self>) -> u32 {
        config.and_then(|config| config.maximum_retry_attempts).unwrap_or(MAXIMUM_RETRY_ATTEMPTS)
    }

    /// In seconds.
    pub(super) fn event_age(config: Option<&Self>) -> u32 {
        config.and_then(|config| config.maximum_event_age).unwrap_or(MAXIMUM_EVENT_AGE)
    }
}

fn within(member: &str, value: i64, least: i64, most: i64) -> Result<u32, ApiError> {
    let rule = match value {
        value if value < least => format!("have value greater than or equal to {least}"),
        value if value > most => format!("have value less than or equal to {most}"),
        value => return u32::try_from(value).map_err(|_| constraint(member, value, "be a number")),
    };
    Err(constraint(member, value, &rule))
}
