//! What is shown while stacks are on their way.

use std::cell::Cell;

use crate::aws::stack::{Event, status};
use crate::environment::Environment;
use crate::error::Error;
use crate::ui::{BAD, GOOD, Progress, Ui, paint};

/// Shows the events of one stack as they come.
pub(super) struct StackProgress {
    line: Progress,
    name: String,
    settled: usize,
    /// One of many: then only its end is worth a plain line.
    is_one_of_many: bool,
}

impl StackProgress {
    pub(super) fn new(ui: &Ui, name: &str) -> Self {
        Self {
            line: ui.progress(format!("{name}: starting")),
            name: name.to_owned(),
            settled: 0,
            is_one_of_many: false,
        }
    }

    pub(super) fn show(&mut self, event: &Event) {
        let Event { logical_id, resource_type, status, .. } = event;
        self.settled += usize::from(event.is_settled());
        self.line.now(format!("{}: {} done; {logical_id} {status}", self.name, self.settled));
        if event.is_settled() && !self.is_one_of_many {
            let meaning = status::meaning(status);
            let reason = if event.reason.is_empty() || event.reason == "User Initiated" {
                String::new()
            } else {
                format!(": {}", event.reason)
            };
            let symbol = paint(meaning.style, meaning.symbol);
            self.line.event(format_args!("{symbol} {} {logical_id} {status} ({resource_type}){reason}", self.name));
        }
    }
}

/// Counts the environments that are done: with many of them, a line for each resource would tell nothing.
pub(super) struct Tally {
    ui: Ui,
    line: Option<Progress>,
    total: usize,
    done: Cell<usize>,
    failed: Cell<usize>,
    verb: &'static str,
}

impl Tally {
    /// `verb` says what is done to the environments, e.g. `set up`.
    pub(super) fn new(ui: &Ui, total: usize, verb: &'static str) -> Self {
        let line = (total > 1).then(|| ui.progress(format!("0 of {total} environments {verb}")));
        Self { ui: ui.clone(), line, total, done: Cell::new(0), failed: Cell::new(0), verb }
    }

    /// The progress of the stack of one of them.
    pub(super) fn stack(&self, name: &str) -> StackProgress {
        StackProgress { is_one_of_many: self.line.is_some(), ..StackProgress::new(&self.ui, name) }
    }

    /// One of them has come to its end.
    pub(super) fn one_done(&self, environment: &Environment, failure: Option<&Error>) {
        let Some(line) = &self.line else { return };
        let counter = if failure.is_none() { &self.done } else { &self.failed };
        counter.set(counter.get() + 1);
        let (done, failed) = (self.done.get(), self.failed.get());
        let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        line.now(format!("{done} of {} environments {}{failed}", self.total, self.verb));
        match failure {
            None => line.event(format_args!("{} {environment} {}", paint(GOOD, '✓'), self.verb)),
            Some(error) => line.event(format_args!("{} {environment}: {error}", paint(BAD, '✗'))),
        }
    }
}
