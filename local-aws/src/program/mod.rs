//! Programs that run as processes of this machine, whatever service runs them.
//!
//! - `image`: from an image to what is to be run
//! - `process`: the process, which outlives the endpoint or ends with it
//! - `output`: its way into a log

pub(crate) mod image;
pub(crate) mod output;
pub(crate) mod process;
