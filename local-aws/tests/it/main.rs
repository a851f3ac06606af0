//! The endpoint as its users see it: real AWS SDK clients against a server on a free port.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions; here all of the crate is the test")]

mod cloudformation;
mod dynamodb;
mod ecs;
mod ecs_kill;
mod ecs_lab;
mod ecs_stack;
mod fis;
mod harness;
mod iam;
mod latency;
mod logs;
mod network;
mod quotas;
mod server;
mod tagging;
