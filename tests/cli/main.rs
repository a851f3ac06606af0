//! The real binary, from the outside. One binary of tests, because linking is what takes the time.

mod harness;

mod aws_cli;
mod cfn_lint;
mod errors;
mod help;
mod lab;
mod local;
mod render;
