//! The real binary, from the outside. One binary of tests, because linking is what takes the time.

#![expect(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod harness;

mod aws_cli;
mod cfn_lint;
mod doctor;
mod errors;
mod help;
mod kills;
mod lab;
mod local;
mod reference;
mod render;
mod survivors;
