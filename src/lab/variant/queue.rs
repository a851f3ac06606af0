//! Every item is a message: any number of tasks share the work, and what one leaves undone another one takes.

use std::borrow::Cow;

use super::{Design, Restart};
use crate::aws::program::Program;
use crate::lab::checks::SHARED;
use crate::lab::evidence::Expected;

pub(super) static DESIGN: Design = Design {
    name: Cow::Borrowed("queue"),
    says: "Shares the work among several tasks: every item is a message",
    program: Program::Queue,
    tasks: 5,
    restart: Restart::NotNeeded,
    expected: |next| Expected { first_index: next, redone: 0 },
    checks: SHARED,
    breaks: &[],
};
