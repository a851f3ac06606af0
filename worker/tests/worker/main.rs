//! The two programs as the lab runs them: real processes, real SDK, a real DynamoDB in this process.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions; here all of the crate is the test")]

mod endpoint;
mod improved;
mod killing;
mod lab;
mod original;
mod refusals;
mod stopping;
