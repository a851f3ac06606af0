//! An AWS-compatible endpoint on loopback, for one account in one region.
//!
//! # Layout
//! In reading order:
//! - [`serve`] (`server`): a connection's way from the socket to a service and back
//! - `service`: what a service is, a row of data; `services`: the one list of them
//! - `auth`: who signed the request; `identity`: who may; `loopback`: from where
//! - `wire`: the AWS protocols (JSON, query, EC2 query, REST) to and from plain JSON values
//! - `error`: the one error type, without a wire format
//! - `store`: durable state; `endpoint`: what every service works on; `paging`: lists in pages; `tag`: a tag;
//!   `latency`: [`Options`]
//! - `cloudformation`: the template language, the engine, and one file for each family of resource types
//! - `ecs`, `fis`, `logs`, `dynamodb`, `sqs`: the services of the lab
//! - `ec2`, `iam`, `sts`, `tagging`, `ecr`, `quotas`: what their resources need, and the calls that read them
//! - `lambda`: functions, which run as processes that speak the Runtime API
//! - `outbox`: events that services send; `events`: EventBridge, which takes them to targets
//! - `gate`: the endpoint's own: cuts tasks off at a request of theirs
//! - `program`: processes of this machine, for the services that run something
//! - `registry`: the API by which images come and go; `images`: their files
//!
//! Services know no HTTP: they take and give JSON values in the shape of the AWS model. Uses go down, from `server` to
//! `error`; `tests/it/floors.rs` says which floor each has.

mod auth;
mod background;
mod cloudformation;
mod dynamodb;
mod ec2;
mod ecr;
mod ecs;
mod endpoint;
mod error;
mod events;
mod fis;
mod gate;
mod iam;
mod identity;
mod images;
mod lambda;
mod latency;
mod logs;
mod loopback;
mod outbox;
mod paging;
mod program;
mod quotas;
#[cfg(test)]
mod reference;
mod registry;
mod reserve;
mod server;
mod service;
mod services;
mod sqs;
mod store;
mod sts;
mod tag;
mod tagging;
mod wire;

pub use cloudformation::{Direction, Estimate};
pub use error::ApiError;
pub use identity::{DEFAULT_REGION, Identity};
pub use latency::{Deliveries, Latency, Options};
pub use loopback::names_loopback;
pub use server::serve;
