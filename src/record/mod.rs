//! The record of a run: one file of events on one clock, from which everything is made that people look at afterwards.
//!
//! - [`event`]: what is in it, line by line
//! - [`recorder`]: writes it while the run goes on
//! - [`seen`]: what the lab has looked at, as events; no AWS call is made for them
//! - [`turns()`]: whose turn it was; [`words()`]: an event, for people; [`differences()`]: where two runs differ
//! - [`runs`]: the records in the state directory: begun, found, read, bounded in number

mod differences;
mod event;
mod recorder;
mod runs;
mod seen;
mod turns;
mod words;

pub(crate) use differences::{Difference, differences};
pub(crate) use event::{Event, Header, Moment, What, in_json};
pub(crate) use recorder::Recorder;
pub(crate) use runs::{Run, Runs};
pub(crate) use turns::turns;
pub(crate) use words::words;
