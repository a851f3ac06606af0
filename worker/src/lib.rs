#![doc = include_str!("../README.md")]

mod aws;
mod failure;
mod job;
mod log;
mod queue;
mod settings;
mod stop;
mod table;
mod task;
pub mod watchdog;
mod work;

pub use failure::Failure;
pub use job::{Job, run};
pub use queue::{Item, Queue};
pub use settings::Settings;
pub use stop::Signal;
pub use table::{Table, Written};
pub use work::work;
