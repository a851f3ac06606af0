//! Schedule expressions: when a rule is due.
//!
//! - `rate(1 minute)`, `rate(5 minutes)`, `rate(1 hour)`, `rate(12 hours)`, `rate(1 day)`, `rate(7 days)`: the singular goes
//!   with 1 only
//! - `cron(minutes hours day-of-month month day-of-week year)`, in UTC. Each field is `*`, or a list of values, ranges
//!   (`8-17`, also `FRI-MON`) and, but for the day of week, steps (`0/15`, `8-18/2`). Months are 1 to 12 or `JAN` to `DEC`; days of the week are 1 to
//!   7 or `SUN` to `SAT`. One of the two days must be `?`.
//! - Instead of a list, the day of month may be `L` (the last), `15W` (the weekday that is nearest to the 15th and in its
//!   month) or `LW` (the last weekday), and the day of week `L` (Saturday), `6L` (the month's last Friday) or `6#3` (its
//!   third Friday).
//!
//! AWS documents years up to 2199 and takes later ones too. It does not say at which second of its minute a rule is due;
//! here it is the first.

mod cron;
mod days;
mod field;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

use self::cron::Cron;
use crate::error::ApiError;

/// A schedule expression that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schedule {
    /// `rate(5 minutes)`
    Rate(TimeDelta),
    /// `cron(0 8 ? * MON-FRI *)`
    Cron(Cron),
}

impl Schedule {
    /// Reads `rate(...)` or `cron(...)`.
    ///
    /// # Errors
    /// `ValidationException`, "Parameter ScheduleExpression is not valid."
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let schedule = match (inner("rate"), inner("cron")) {
            (Some(rate), _) => period(rate).map(Self::Rate),
            (_, Some(cron)) => Cron::parse(cron).map(Self::Cron),
            _ => None,
        };
        schedule.ok_or_else(|| ApiError::new("ValidationException", "Parameter ScheduleExpression is not valid."))
    }

    /// The first time after `after`. A rate counts from `since`, when the rule was made, changed or enabled: so it keeps
    /// its beat however late it is asked. `None` when there is none any more.
    pub(super) fn next_after(&self, since: DateTime<Utc>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Rate(period) => {
                let passed = (after - since).num_seconds().max(0) / period.num_seconds();
                let beats = TimeDelta::try_seconds(period.num_seconds().checked_mul(passed + 1)?)?;
                since.checked_add_signed(beats)
            }
            Self::Cron(cron) => cron.next_after(after),
        }
    }
}

/// What `rate` says.
fn period(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_once(' ')?;
    let number = field::number(number)?;
    let unit = match (number, unit) {
        (0, _) => return None,
        (1, unit) => unit,
        (_, unit) => unit.strip_suffix('s')?,
    };
    let number = i64::from(number);
    match unit {
        "minute" => TimeDelta::try_minutes(number),
        "hour" => TimeDelta::try_hours(number),
        "day" => TimeDelta::try_days(number),
        _ => None,
    }
}
