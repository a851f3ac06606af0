//! What `prove` looks for in every run that it interrupts. A design says which of it may break.

use std::fmt;

use serde::Serialize;

/// What must hold however a job is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Invariant {
    /// The table holds each item of the batch, with its result.
    EveryItemOnce,
    /// An interruption costs the item in the making, and no other.
    OneItemAgain,
    /// Started again, the job comes to its end.
    Ends,
    /// A task that another one has taken over from changes no item any more.
    NothingAfterReplaced,
    /// What a log calls written is in the table.
    LogIsTrue,
    /// Every message is worked off.
    NothingLeft,
    /// Nobody starts a second task beside one that runs.
    OneTaskAtATime,
}

impl Invariant {
    pub(crate) const ALL: &[Self] = &[
        Self::EveryItemOnce,
        Self::OneItemAgain,
        Self::Ends,
        Self::NothingAfterReplaced,
        Self::LogIsTrue,
        Self::NothingLeft,
        Self::OneTaskAtATime,
    ];
}

/// As a sentence that is true when it holds.
impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EveryItemOnce => "every item is there once, with the right result",
            Self::OneItemAgain => "an interruption costs the item in the making at most",
            Self::Ends => "started again, the job comes to its end",
            Self::NothingAfterReplaced => "a task that was replaced writes nothing more",
            Self::LogIsTrue => "what the log calls written is in the table",
            Self::NothingLeft => "no message is left over",
            Self::OneTaskAtATime => "one task runs at a time",
        })
    }
}
