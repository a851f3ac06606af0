use std::num::NonZeroU32;

use clap::Args;

use crate::endpoint::Deliveries;

/// How EventBridge delivers events in the endpoint. All of it may happen on AWS.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DeliveriesArgs {
    /// Deliver each event so much later; 0 ends it [default: as the last time, 0 at first]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    delay_events: Option<f64>,
    /// Deliver events in any order: each of them by up to so many seconds later than another [default: the same]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    shuffle_events: Option<f64>,
    /// Deliver every Nth event twice; 1 is each of them [default: as the last time, none at first]
    #[arg(long, value_name = "N")]
    duplicate_events: Option<NonZeroU32>,
    /// What the order follows from, and which events are delivered twice: the same number, the same choice [default: 0]
    #[arg(long, value_name = "NUMBER")]
    events_seed: Option<u64>,
}

impl DeliveriesArgs {
    /// What was asked for, if anything was; what was not is then as EventBridge has to.
    pub(super) fn deliveries(self) -> Option<Deliveries> {
        let Self { delay_events, shuffle_events, duplicate_events, events_seed } = self;
        let is_asked =
            delay_events.is_some() || shuffle_events.is_some() || duplicate_events.is_some() || events_seed.is_some();
        is_asked.then(|| Deliveries {
            delay: delay_events.unwrap_or_default(),
            shuffle: shuffle_events.unwrap_or_default(),
            duplicate_every: duplicate_events,
            seed: events_seed.unwrap_or_default(),
        })
    }
}

/// An hour is long enough for any lesson, and less than ECS remembers a task.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "not a number of seconds from 0 to 3600".to_owned())
}
