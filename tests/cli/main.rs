//! The real binary, from the outside. One binary of tests, because linking is what takes the time.

mod harness;

mod errors;
mod help;
mod kills;
mod lab;
mod local;
mod render;
