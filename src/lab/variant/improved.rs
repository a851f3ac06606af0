//! The batch job that asks the table where to go on.

use std::borrow::Cow;

use super::{Design, Restart};
use crate::aws::program::Program;
use crate::lab::checks::ONE_AFTER_ANOTHER;
use crate::lab::evidence::Expected;

pub(super) static DESIGN: Design = Design {
    name: Cow::Borrowed("improved"),
    says: "Goes on where it was interrupted",
    program: Program::Improved,
    tasks: 1,
    restart: Restart::ByHand,
    expected: |next| Expected { first_index: next, redone: 0 },
    checks: ONE_AFTER_ANOTHER,
    breaks: &[],
};
