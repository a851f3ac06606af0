//! The improved job again, and a function that restarts it when it was interrupted: no human is needed.

use std::borrow::Cow;

use super::{Design, Restart};
use crate::aws::program::Program;
use crate::lab::checks::RESTARTED_BY_ITSELF;
use crate::lab::evidence::Expected;

pub(super) static DESIGN: Design = Design {
    name: Cow::Borrowed("watchdog"),
    says: "Goes on by itself: a function watches the job and restarts it",
    program: Program::Watchdog,
    tasks: 1,
    restart: Restart::ByWatchdog,
    expected: |next| Expected { first_index: next, redone: 0 },
    checks: RESTARTED_BY_ITSELF,
    breaks: &[],
};
