//! AWS: one file for each service that the lab uses. Nothing here talks to the terminal.

pub mod clients;
pub mod cost;
pub mod deployed;
pub mod experiment;
pub mod images;
pub mod logs;
pub mod pace;
pub mod patience;
#[cfg(test)]
pub(crate) mod scripted;
pub mod service_roles;
pub mod stack;
pub mod stop_reason;
pub mod survivors;
pub mod table;
pub mod tasks;
