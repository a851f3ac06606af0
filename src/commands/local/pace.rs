use clap::Args;

use crate::endpoint::{Latency, Pace};

/// How long things take in the endpoint.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct PaceArgs {
    /// How long resources and tasks take to come and go [default: as the last time, none at first]
    #[arg(long, value_enum)]
    latency: Option<Latency>,
    /// With `--latency aws`, what AWS's times are divided by: 60 makes a minute a second [default: 1]
    #[arg(long, value_name = "N", requires = "latency", value_parser = speed)]
    speed: Option<f64>,
}

impl PaceArgs {
    /// What was asked for, if anything was.
    pub(super) fn pace(self) -> Option<Pace> {
        self.latency.map(|latency| Pace { latency, speed: self.speed.unwrap_or(Pace::default().speed) })
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| local_aws::Latency::aws(*speed).is_some());
    speed.ok_or_else(|| "not a number of at least 1".to_owned())
}
