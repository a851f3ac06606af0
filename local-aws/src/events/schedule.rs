//! Schedule expressions: when a rule is due.

use chrono::{DateTime, Utc};

use crate::error::ApiError;

/// A schedule expression that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schedule {
    /// `rate(5 minutes)`
    Rate(chrono::TimeDelta),
}

impl Schedule {
    /// Reads `rate(...)` or `cron(...)`.
    ///
    /// # Errors
    /// `ValidationException`, "Parameter ScheduleExpression is not valid."
    pub(super) fn parse(_text: &str) -> Result<Self, ApiError> {
        Err(ApiError::unsupported("ScheduleExpression"))
    }

    /// The first time after `after`. A rate counts from `since`, when the rule was made, changed or enabled: so it keeps
    /// its beat however late it is asked. `None` when there is none any more.
    pub(super) fn next_after(&self, _since: DateTime<Utc>, _after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }
}
