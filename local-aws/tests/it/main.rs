//! The endpoint as its users see it: real AWS SDK clients against a server on a free port.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions; here all of the crate is the test")]

mod boto;
mod cloudformation;
mod dynamodb;
mod ecs;
mod ecs_kill;
mod ecs_lab;
mod ecs_permission;
mod ecs_stack;
mod events;
mod fis;
mod floods;
mod floors;
mod fuzz;
mod gate;
mod harness;
mod iam;
mod lambda;
mod latency;
mod logs;
mod network;
mod operations;
mod quotas;
mod registry;
mod registry_client;
mod registry_images;
mod registry_judges;
mod registry_kill;
mod registry_tasks;
mod server;
mod sqs;
mod tagging;
