//! How the endpoint is to behave: what `local start` can set.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Settings of an endpoint that are no part of its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How long resources and tasks take to come and go.
    pub latency: Latency,
    /// How EventBridge delivers events.
    pub deliveries: Deliveries,
    /// How many bytes an image may take on the disk when it is unpacked.
    pub max_image_bytes: u64,
    /// Whether the tasks' processes end with the endpoint, however it ends. Usually they outlive it, as on AWS.
    pub ends_tasks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            latency: Latency::NONE,
            deliveries: Deliveries::default(),
            max_image_bytes: 2 * 1024 * 1024 * 1024,
            ends_tasks: false,
        }
    }
}

/// How EventBridge delivers events beyond what it has to: late, in another order, more than once. All of it may happen on
/// AWS; here it happens when it is asked for. The same seed gives the same for the same deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// How much later than at once each delivery is tried.
    pub delay: Duration,
    /// By how much one delivery may be later than another: within this time, they come in any order.
    pub shuffle: Duration,
    /// Every how manyth delivery is made twice.
    pub duplicate_every: Option<NonZeroU32>,
    /// What the order, and which ones are made twice, follows from.
    pub seed: u64,
}

impl Deliveries {
    /// Milliseconds before the delivery with this number is tried; `turn` tells its copies apart.
    pub(crate) fn wait(&self, number: i64, turn: u32) -> i64 {
        let drawn = drawn(self.seed ^ (number.cast_unsigned() << 8) ^ u64::from(turn));
        let within = u64::try_from(self.shuffle.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let delay = u64::try_from(self.delay.as_millis()).unwrap_or(u64::MAX);
        i64::try_from(delay.saturating_add(drawn % within)).unwrap_or(i64::MAX)
    }

    /// How often the delivery with this number is made.
    pub(crate) fn copies(&self, number: i64) -> u32 {
        let is_twice =
            |every: NonZeroU32| number.cast_unsigned().wrapping_add(self.seed).is_multiple_of(u64::from(every.get()));
        if self.duplicate_every.is_some_and(is_twice) { 2 } else { 1 }
    }
}

/// SplitMix64: a number that looks like chance and follows from another.
fn drawn(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
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

    #[test]
    fn deliveries_are_late_and_doubled_by_their_seed() {
        let none = Deliveries::default();
        assert!((0..100).all(|number| none.wait(number, 0) == 0 && none.copies(number) == 1));
        let knobs = Deliveries {
            delay: Duration::from_millis(5),
            shuffle: Duration::from_millis(20),
            duplicate_every: NonZeroU32::new(3),
            seed: 7,
        };
        let waits = |knobs: Deliveries| (0..99).map(|number| knobs.wait(number, 0)).collect::<Vec<_>>();
        assert!(waits(knobs).iter().all(|wait| (5..=25).contains(wait)));
        assert_eq!(waits(knobs), waits(knobs));
        assert_ne!(waits(knobs), waits(Deliveries { seed: 8, ..knobs }));
        assert!(!waits(knobs).is_sorted());
        assert_eq!((0..99).filter(|number| knobs.copies(*number) == 2).count(), 33);
    }
}
