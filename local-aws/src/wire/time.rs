//! Times as the JSON services write them.

use chrono::{DateTime, Utc};

/// Seconds since 1970, with milliseconds as their fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a double for 285,000 years")]
pub(crate) fn epoch(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}
