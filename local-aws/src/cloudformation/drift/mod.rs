//! Drift: what has become of resources since CloudFormation made them what the template says.
//!
//! # Layout
//! - `found`: what is recorded of it
//! - `look`: finds out; `differences`: in the words of PropertyDifferences
//! - `detect`: DetectStackDrift and DetectStackResourceDrift; `detection`: what one has found; `describe`: shows it
//! - `repair`: the records for a change set that starts from what there is

pub(super) mod describe;
pub(super) mod detect;
pub(super) mod detection;
mod differences;
pub(super) mod found;
pub(super) mod look;
pub(super) mod repair;
