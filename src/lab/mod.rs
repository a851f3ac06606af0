//! The chapter as a program.
//!
//! - [`follow`]: a task's log, to its last line
//! - [`interrupt`]: the experiment, from the wait for its moment to the stopped task
//! - [`network`]: the wait for the network under the tasks
//! - [`script`]: both, twice for each variant, and the evidence that they leave
//! - [`verdict`]: what the evidence says about the hypothesis and the invariants; no AWS in it
//! - [`report`]: that, for people and as JSON

pub(crate) mod follow;
pub(crate) mod interrupt;
pub(crate) mod network;
pub(crate) mod report;
pub(crate) mod script;
pub(crate) mod verdict;
