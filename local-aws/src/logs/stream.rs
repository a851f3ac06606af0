//! A log stream: its record.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::refusal::{MAX_NAME, constraint, too_long};
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A log stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LogStream {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_ingested_at: Option<DateTime<Utc>>,
}

impl Record for LogStream {
    const KIND: &'static str = "logs.stream";
    fn id(&self) -> String {
        id(&self.group, &self.name)
    }
}

// Neither name can hold a colon, so no two streams share an id and a group's streams are those with its prefix.
pub(super) fn id(group: &str, stream: &str) -> String {
    format!("{group}:{stream}")
}

/// The stream, if it is there.
pub(super) fn get(tx: &Tx<'_>, group: &str, stream: &str) -> Result<Option<LogStream>, ApiError> {
    tx.get(&id(group, stream))
}

/// The stream, which must be there.
pub(super) fn find(tx: &Tx<'_>, group: &str, stream: &str) -> Result<LogStream, ApiError> {
    get(tx, group, stream)?.ok_or_else(not_found)
}

pub(super) fn not_found() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

/// All streams of the group by name.
pub(super) fn of_group(tx: &Tx<'_>, group: &str) -> Result<Vec<LogStream>, ApiError> {
    tx.list_prefix(&id(group, ""))
}

/// Makes a stream that is not there yet.
pub(super) fn create(tx: &Tx<'_>, group: &str, name: &str) -> Result<(), ApiError> {
    check_name(name)?;
    tx.put(&LogStream {
        group: group.to_owned(),
        name: name.to_owned(),
        created_at: Utc::now(),
        last_ingested_at: None,
    })
}

fn check_name(name: &str) -> Result<(), ApiError> {
    const MEMBER: &str = "logStreamName";
    if name.is_empty() {
        return Err(constraint(MEMBER, name, "have length greater than or equal to 1"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(too_long());
    }
    // The pattern lets control characters through; the service does not.
    if name.contains([':', '*']) || name.contains(char::is_control) {
        return Err(constraint(MEMBER, name.escape_debug(), "satisfy regular expression pattern: [^:*]*"));
    }
    Ok(())
}
