//! Where the lab runs: on this machine or on AWS.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Where the lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Target {
    /// The embedded endpoint on this machine: no account, no cost
    #[default]
    Local,
    /// Your AWS account: costs money
    Aws,
}
