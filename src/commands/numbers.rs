//! The numbers that several commands take.

use std::time::Duration;

/// A number of seconds for an item.
pub(super) fn item_seconds(text: &str) -> std::result::Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 0.5".to_owned())?;
    if (0.0..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("from 0 to 3600 seconds".to_owned()) }
}

/// How long to be patient, in seconds.
pub(super) fn patience(text: &str) -> std::result::Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 60".to_owned())?;
    let is_time = (0.1..=86400.0).contains(&seconds);
    is_time.then(|| Duration::from_secs_f64(seconds)).ok_or_else(|| "from 0.1 to 86400 seconds".to_owned())
}

/// An index of an item.
pub(super) fn index(text: &str) -> std::result::Result<u64, String> {
    text.parse().map_err(|_| "a whole number, 0 or more".to_owned())
}

/// A number of items in a batch.
pub(super) fn batch_size() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=100_000)
}
