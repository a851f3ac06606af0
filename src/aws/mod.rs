//! AWS: a file or a folder for each service that the lab uses, and what they have in common. Nothing here talks to the
//! terminal.

pub(crate) mod arn;
pub(crate) mod clients;
pub(crate) mod cost;
pub(crate) mod deployed;
mod direct;
pub(crate) mod ec2;
pub(crate) mod experiment;
pub(crate) mod gate;
pub(crate) mod guard_duty;
pub(crate) mod iam;
pub(crate) mod images;
pub(crate) mod in_json;
pub(crate) mod logs;
pub(crate) mod own;
pub(crate) mod pace;
pub(crate) mod patience;
mod profile;
pub(crate) mod program;
pub(crate) mod queue;
#[cfg(test)]
pub(crate) mod scripted;
pub(crate) mod service_roles;
pub(crate) mod stack;
pub(crate) mod stop_reason;
pub(crate) mod survivors;
pub(crate) mod table;
pub(crate) mod tasks;
pub(crate) mod watchdog;
pub(crate) mod way_out;
pub(crate) mod zones;
