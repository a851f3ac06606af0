//! The programs as the lab runs them: real processes, real SDK, a real DynamoDB in this process.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions; here all of the crate is the test")]

mod ecs;
mod endpoint;
mod improved;
mod killing;
mod lab;
mod lambda;
mod original;
mod queue;
mod refusals;
mod sqs;
mod stopping;
mod throughput;
mod watchdog;
