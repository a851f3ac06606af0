//! The real binary, from the outside. One binary of tests, because linking is what takes the time.

#![expect(clippy::unwrap_used, reason = "in tests, a panic is the report")]

#[path = "../../local-aws/tests/it/boto.rs"]
mod boto;
mod census;
mod harness;
mod wire;
mod workers;

mod aws_cli;
mod benchmarks;
mod book;
mod browser;
mod cfn_lint;
mod checklists;
mod checkov;
mod completions;
mod doctor;
mod dry_run;
mod errors;
mod faults;
mod guide;
mod help;
mod images;
mod killed;
mod kills;
mod lab;
mod lab_fails;
mod late;
mod local;
mod look;
mod moto;
mod own;
mod permissions;
mod predict;
mod prove;
mod record;
mod reference;
mod render;
mod watch;
mod watchdog;
mod way_out;
