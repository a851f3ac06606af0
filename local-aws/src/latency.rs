//! How the endpoint is to behave: what `local start` can set.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Settings of an endpoint that are no part of its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How long resources and tasks take to come and go.
    pub latency: Latency,
    /// How many bytes an image may take on the disk when it is unpacked.
    pub max_image_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { latency: Latency::NONE, max_image_bytes: 2 * 1024 * 1024 * 1024 }
    }
}

/// How long resources and tasks take to come and go: no longer than the machine needs, or as on AWS, divided by a speed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latency {
    speed: Option<f64>,
}

impl Latency {
    /// Everything at once.
    pub const NONE: Self = Self { speed: None };

    /// As long as on AWS, divided by `speed`; `None` for a speed that is no number of at least 1.
    pub fn aws(speed: f64) -> Option<Self> {
        (speed.is_finite() && speed >= 1.0).then_some(Self { speed: Some(speed) })
    }

    pub(crate) fn is_none(self) -> bool {
        self.speed.is_none()
    }

    /// How long that takes here which takes `typical` on AWS.
    pub(crate) fn of(self, typical: Duration) -> Duration {
        self.speed.map_or(Duration::ZERO, |speed| typical.div_f64(speed))
    }

    /// When something that starts now will end; `None` when it takes no time.
    pub(crate) fn end_of(self, typical: Duration) -> Option<DateTime<Utc>> {
        let duration = self.of(typical);
        if duration.is_zero() {
            return None;
        }
        TimeDelta::from_std(duration).ok().and_then(|duration| Utc::now().checked_add_signed(duration))
    }
}

/// Time left until `time`; nothing when it has come.
pub(crate) fn until(time: DateTime<Utc>) -> Duration {
    (time - Utc::now()).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_divides_and_is_at_least_one() {
        let minute = Duration::from_secs(60);
        assert_eq!(Latency::NONE.of(minute), Duration::ZERO);
        assert_eq!(Latency::NONE.end_of(minute), None);
        assert_eq!(Latency::aws(1.0).unwrap().of(minute), minute);
        assert_eq!(Latency::aws(2.5).unwrap().of(minute), Duration::from_secs(24));
        for wrong in [0.0, 0.99, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Latency::aws(wrong), None, "{wrong}");
        }
    }
}
