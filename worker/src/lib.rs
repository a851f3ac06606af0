#![doc = include_str!("../README.md")]

mod failure;
mod job;
mod log;
mod settings;
mod stop;
mod table;
mod task;
mod work;

pub use failure::Failure;
pub use job::{Job, run};
pub use settings::Settings;
pub use stop::Signal;
pub use table::Table;
pub use work::work;
