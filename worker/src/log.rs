//! The job's log: stdout, which the `awslogs` driver takes to CloudWatch Logs line by line.

use std::{
    fmt::Display,
    io::{Write, stdout},
};

use crate::Failure;

/// Writes one line and sees it off, so that the last line is not lost in a buffer when the task is killed.
pub(crate) fn line(message: impl Display) -> Result<(), Failure> {
    let mut out = stdout().lock();
    writeln!(out, "{message}").and_then(|()| out.flush()).map_err(Failure::process("writing the log to stdout"))
}
