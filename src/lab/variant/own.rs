//! A worker that somebody has written herself: it should do what the improved one does.

use std::borrow::Cow;

use super::{Design, Restart};
use crate::aws::program::Program;
use crate::lab::checks::OWN;
use crate::lab::evidence::Expected;

/// What it is called unless somebody has named it.
pub(crate) const NAME: &str = "own";

/// The design of a worker of this name.
pub(crate) fn design(name: impl Into<Cow<'static, str>>) -> Design {
    Design {
        name: name.into(),
        says: "A worker that you have written: that of `--worker`, or of `fis-workshop.toml`",
        program: Program::Own,
        tasks: 1,
        restart: Restart::ByHand,
        expected: |next| Expected { first_index: next, redone: 0 },
        checks: OWN,
        breaks: &[],
    }
}
