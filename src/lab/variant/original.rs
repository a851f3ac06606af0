//! The batch job as it was first written.

use std::borrow::Cow;

use super::{Design, Restart};
use crate::aws::program::Program;
use crate::lab::checks::ONE_AFTER_ANOTHER;
use crate::lab::evidence::Expected;
use crate::lab::invariant::Invariant;

pub(super) static DESIGN: Design = Design {
    name: Cow::Borrowed("original"),
    says: "Starts over when it is run again",
    program: Program::Original,
    tasks: 1,
    restart: Restart::ByHand,
    expected: |next| Expected { first_index: 0, redone: next },
    checks: ONE_AFTER_ANOTHER,
    breaks: &[Invariant::OneItemAgain, Invariant::NothingAfterReplaced],
};
