//! Whose turn it is: the order in which requests of several tasks pass.

use serde::{Deserialize, Serialize};

use super::refusal::invalid;
use crate::error::ApiError;

/// Where a task is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Cut {
    /// The request has come, and nothing is done.
    BeforeEffect,
    /// It is done, and the task is not told.
    AfterEffect,
    /// The task is told, and has done all that follows until its next request.
    AfterAnswer,
}

/// A task may make so many requests, the others wait.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Turn {
    /// Its number, from 1, in the order in which tasks came to the gate.
    pub(super) task: usize,
    /// Without it, as many as it makes until it ends.
    pub(super) requests: Option<usize>,
    /// What happens to the task at the last of them.
    pub(super) cut: Option<Cut>,
}

/// The turns, and how far they are. After the last one everybody may pass.
#[derive(Debug, Default)]
pub(super) struct Script {
    turns: Vec<Turn>,
    /// Turns that are over.
    over: usize,
    /// Requests of the present turn.
    passed: usize,
}

impl Script {
    pub(super) fn new(turns: Vec<Turn>) -> Result<Self, ApiError> {
        if turns.iter().any(|turn| turn.task == 0) {
            return Err(invalid("The tasks of a gate are numbered from 1."));
        }
        if turns.iter().any(|turn| turn.cut.is_some() && turn.requests.unwrap_or_default() == 0) {
            return Err(invalid("A cut is at the last of one or more requests: requests is missing or 0."));
        }
        let mut script = Self { turns, over: 0, passed: 0 };
        script.end_what_is_over();
        Ok(script)
    }

    /// How many turns are over.
    pub(super) fn over(&self) -> usize {
        self.over
    }

    /// Whose turn it is; nobody's when all are over.
    pub(super) fn present(&self) -> Option<usize> {
        self.turns.get(self.over).map(|turn| turn.task)
    }

    /// Lets a request of the task begin, if that may be: with the cut that it meets.
    pub(super) fn pass(&mut self, task: usize) -> Option<Option<Cut>> {
        let Some(turn) = self.turns.get(self.over) else { return Some(None) };
        if turn.task != task || turn.requests == Some(self.passed) {
            return None;
        }
        self.passed += 1;
        Some(turn.cut.filter(|_| turn.requests == Some(self.passed)))
    }

    /// A request that passed in the turn `turn` is over.
    pub(super) fn end_request(&mut self, turn: usize) {
        if turn == self.over {
            self.end_what_is_over();
        }
    }

    /// The task of the present turn makes no more requests.
    pub(super) fn end_turn(&mut self) {
        self.over += 1;
        self.passed = 0;
        self.end_what_is_over();
    }

    fn end_what_is_over(&mut self) {
        while self.turns.get(self.over).is_some_and(|turn| turn.requests == Some(self.passed)) {
            self.over += 1;
            self.passed = 0;
        }
    }
}
