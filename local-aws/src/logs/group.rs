//! A log group: its record, and its retention.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::refusal::{MAX_NAME, constraint, invalid, too_long};
use super::stream;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// The only class whose events can be read by all calls; the others are cheaper and do less.
pub(super) const STANDARD: &str = "STANDARD";

/// Days that a retention policy may have.
const RETENTION: &[i64] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    pub(crate) name: String,
    /// Without the `:*` that most calls show, as tags and live tail take it.
    pub(crate) arn: String,
    pub(crate) created_at: DateTime<Utc>,
    /// None keeps events for ever.
    pub(crate) retention_in_days: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Record for LogGroup {
    const KIND: &'static str = "logs.group";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl LogGroup {
    /// The ARN as CloudFormation's attribute and `DescribeLogGroups` show it: the group with all of its streams.
    pub(crate) fn arn_of_streams(&self) -> String {
        format!("{}:*", self.arn)
    }

    /// Makes the group.
    pub(crate) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        name: &str,
        retention_in_days: Option<i64>,
        tags: BTreeMap<String, String>,
    ) -> Result<Self, ApiError> {
        check_name(name)?;
        if tx.get::<Self>(name)?.is_some() {
            return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log group already exists"));
        }
        let arn = endpoint.arn("logs", &format!("log-group:{name}"));
        let group = Self { name: name.to_owned(), arn, created_at: Utc::now(), retention_in_days, tags };
        tx.put(&group)?;
        Ok(group)
    }

    /// Sets what can be changed, and drops the events that the new retention does not keep.
    pub(crate) fn change(
        tx: &Tx<'_>,
        name: &str,
        retention_in_days: Option<i64>,
        tags: BTreeMap<String, String>,
    ) -> Result<Self, ApiError> {
        let group = Self { retention_in_days, tags, ..find(tx, name)? };
        delete_expired(tx, &group, Utc::now())?;
        tx.put(&group)?;
        Ok(group)
    }

    /// Deletes the group with its streams and events; says whether it was there.
    pub(crate) fn delete(tx: &Tx<'_>, name: &str) -> Result<bool, ApiError> {
        for stream in stream::of_group(tx, name)? {
            tx.delete::<stream::LogStream>(&stream.id())?;
        }
        tx.sql().prepare_cached("DELETE FROM log_event WHERE log_group = ?")?.execute(params![name])?;
        tx.delete::<Self>(name)
    }
}

/// The group of this name.
pub(super) fn find(tx: &Tx<'_>, name: &str) -> Result<LogGroup, ApiError> {
    tx.get(name)?.ok_or_else(not_found)
}

pub(super) fn not_found() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

/// The group that a reading call names, by exactly one of its name and its identifier (name, or ARN without `:*`).
pub(super) fn named(tx: &Tx<'_>, name: Option<&str>, identifier: Option<&str>) -> Result<LogGroup, ApiError> {
    match (name, identifier) {
        (Some(name), None) => {
            check_name(name)?;
            find(tx, name)
        }
        (None, Some(identifier)) if identifier.ends_with('*') => {
            Err(constraint("logGroupIdentifier", identifier, r"satisfy regular expression pattern: [\w#+=/:,.@-]*"))
        }
        (None, Some(identifier)) if identifier.starts_with("arn:") => by_arn(tx, identifier),
        (None, Some(identifier)) => find(tx, identifier),
        (Some(_), Some(_)) => Err(invalid("LogGroup name and LogGroup identifier are mutually exclusive parameters.")),
        (None, None) => Err(invalid("Either LogGroup name or LogGroup identifier must be specified.")),
    }
}

/// The group of this ARN (without `:*`).
pub(super) fn by_arn(tx: &Tx<'_>, arn: &str) -> Result<LogGroup, ApiError> {
    // The name is all that follows `log-group:`; an ARN of another account or region is of no group here.
    let name = arn.splitn(7, ':').nth(6).unwrap_or_default();
    find(tx, name).ok().filter(|group| group.arn == arn).ok_or_else(not_found)
}

/// Deletes the events that are older than the group's retention. Called before every read and write of events, so an
/// expired event is never seen.
pub(super) fn delete_expired(tx: &Tx<'_>, group: &LogGroup, now: DateTime<Utc>) -> Result<(), ApiError> {
    if let Some(cutoff) = group.retention_in_days.map(|days| now - TimeDelta::days(days)) {
        tx.sql()
            .prepare_cached("DELETE FROM log_event WHERE log_group = ? AND timestamp < ?")?
            .execute(params![group.name, cutoff.timestamp_millis()])?;
    }
    Ok(())
}

pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    const MEMBER: &str = "logGroupName";
    if name.is_empty() {
        return Err(constraint(MEMBER, name, "have length greater than or equal to 1"));
    }
    if name.len() > MAX_NAME {
        return Err(too_long());
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte)) {
        return Err(constraint(MEMBER, name, r"satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"));
    }
    if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws/")) {
        return Err(invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    Ok(())
}

/// Refuses a number of days that is no retention policy.
pub(crate) fn check_retention(days: i64) -> Result<(), ApiError> {
    if RETENTION.contains(&days) {
        return Ok(());
    }
    let allowed: Vec<String> = RETENTION.iter().map(i64::to_string).collect();
    Err(constraint("retentionInDays", days, &format!("satisfy enum value set: [{}]", allowed.join(", "))))
}

/// Refuses the classes that this endpoint does not have.
pub(crate) fn check_class(class: Option<&str>) -> Result<(), ApiError> {
    match class {
        None | Some(STANDARD) => Ok(()),
        Some(class @ ("INFREQUENT_ACCESS" | "DELIVERY")) => {
            Err(ApiError::unsupported(format!("The log group class {class}")))
        }
        Some(class) => {
            Err(constraint("logGroupClass", class, "satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]"))
        }
    }
}
