//! Kills a variant at every point of its protocol, and checks what comes of it.
//!
//! Every durable effect of a worker is a request of its task, so a run has as many points at which a kill makes a difference
//! as it has requests, times three. They are tried one by one on an endpoint of its own, whose gate does the killing.
//!
//! # Layout
//! - `endpoint`: the endpoint, which ends with us
//! - `schedule`: the ways to interrupt a run, as a tree: what a run has shown says which come next; `label`: the names of
//!   requests
//! - `lane`: an environment in which one schedule after the other is played; `by_hand`, `watched`, `shared`: who starts the
//!   job again
//! - `observed`: what a run has left; `judge`: which invariants it breaks
//! - `explore`: the whole tree, over all lanes at once
//! - `story`: a run as a person would tell it; `report`: what the command prints

mod by_hand;
mod endpoint;
mod explore;
mod judge;
mod label;
mod lane;
mod observed;
mod report;
mod schedule;
mod shared;
mod story;
mod watched;

pub(crate) use endpoint::PrivateEndpoint;
pub(crate) use explore::{Bounds, explore, replay};
pub(crate) use lane::{Lane, lanes};
pub(crate) use report::{Proof, Report};
