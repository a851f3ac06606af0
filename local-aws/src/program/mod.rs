//! Programs that run as processes of this machine, whatever service runs them.
//!
//! - `process`: the process, which outlives the endpoint
//! - `output`: its way into a log

pub(crate) mod output;
pub(crate) mod process;
