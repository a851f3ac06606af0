//! The chapter as a program.
//!
//! - [`variant`]: the designs that are compared, a file for each
//! - [`play`]: the designs one after the other; [`by_hand`]: run, interrupted and run again by hand; [`by_watchdog`]:
//!   restarted by a function; [`shared`]: by several tasks at once
//! - [`stage`]: what can be done on a design's turn
//! - [`aim`]: what the experiment would hit; [`interrupt`]: the experiment, from the wait for its moment to the stopped
//!   task; [`preview`]: FIS's own preview of it
//! - [`follow`]: a task's log, to its last line
//! - [`silence`]: how long a worker has written nothing at all
//! - [`network`]: the wait for the network under the tasks
//! - [`evidence`]: what a design leaves behind; [`checks`]: the invariants, a function for each; [`verdict`]: what both say
//!   about the hypothesis. No AWS call in them
//! - [`prediction`]: what somebody says of it beforehand
//! - [`report`]: that, for people and as JSON

pub(crate) mod aim;
mod by_hand;
mod by_watchdog;
pub(crate) mod checks;
pub(crate) mod evidence;
pub(crate) mod follow;
pub(crate) mod interrupt;
pub(crate) mod invariant;
pub(crate) mod network;
pub(crate) mod play;
pub(crate) mod prediction;
pub(crate) mod preview;
pub(crate) mod report;
mod shared;
pub(crate) mod silence;
mod stage;
pub(crate) mod variant;
pub(crate) mod verdict;
