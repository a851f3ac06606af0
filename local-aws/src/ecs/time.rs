//! Times, as ECS writes them.

use chrono::{DateTime, Utc};

/// Seconds, with milliseconds.
pub(super) fn epoch(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}
