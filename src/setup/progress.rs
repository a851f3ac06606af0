//! What is shown while stacks are on their way.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::time_left::TimeLeft;
use crate::aws::stack::{Event, Stack, StackSpec, status};
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Error;
use crate::render;
use crate::ui::{BAD, GOOD, Progress, Ui, about_left, paint};

/// Shows the events of one stack as they come.
pub(super) struct StackProgress {
    line: Progress,
    name: String,
    settled: usize,
    left: TimeLeft,
    /// One of many: then only its end is worth a plain line.
    is_one_of_many: bool,
}

impl StackProgress {
    /// Of a stack that is to become as `spec` says.
    pub(super) fn of_spec(ui: &Ui, spec: &StackSpec) -> Self {
        Self::new(ui, &spec.name, TimeLeft::new(spec.template, &spec.parameters))
    }

    /// Of a stack that is there, and was made from our template.
    pub(super) fn of_stack(ui: &Ui, stack: &Stack) -> Self {
        let template = if stack.name == NETWORK_STACK { render::NETWORK } else { render::WORKSHOP };
        Self::new(ui, &stack.name, TimeLeft::new(template, &stack.parameters))
    }

    fn new(ui: &Ui, name: &str, left: TimeLeft) -> Self {
        Self {
            line: ui.progress(format!("{name}: starting")),
            name: name.to_owned(),
            settled: 0,
            left,
            is_one_of_many: false,
        }
    }

    pub(super) fn show(&mut self, event: &Event) {
        let Event { logical_id, resource_type, status, .. } = event;
        self.settled += usize::from(event.is_settled() && !event.is_stack);
        let left = self.left.after(event);
        let of = self.left.of_how_many().map(|all| format!(" of {all}")).unwrap_or_default();
        self.line.now(format!("{}: {}{of} done; {logical_id} {status}", self.name, self.settled));
        self.line.expect(left);
        if event.is_settled() && !self.is_one_of_many {
            let meaning = status::meaning(status.as_str());
            let reason = if event.reason.is_empty() || event.reason == "User Initiated" {
                String::new()
            } else {
                format!(": {}", event.reason)
            };
            let left = left.map(|left| format!("; {}", about_left(left))).unwrap_or_default();
            let symbol = paint(meaning.style, meaning.symbol);
            self.line
                .event(format_args!("{symbol} {} {logical_id} {status} ({resource_type}){reason}{left}", self.name));
        }
    }
}

/// Counts the environments that are done: with many of them, a line for each resource would tell nothing.
pub(super) struct Tally {
    line: Option<Progress>,
    total: usize,
    parallel: usize,
    begin: Instant,
    done: Cell<usize>,
    failed: Cell<usize>,
    verb: &'static str,
}

impl Tally {
    /// `verb` says what is done to the environments, e.g. `set up`; to how many of them at once, `parallel`.
    pub(super) fn new(ui: &Ui, total: usize, parallel: usize, verb: &'static str) -> Self {
        let line = (total > 1).then(|| ui.progress(format!("0 of {total} environments {verb}")));
        Self { line, total, parallel, begin: Instant::now(), done: Cell::new(0), failed: Cell::new(0), verb }
    }

    /// The progress of the stack of one of them.
    pub(super) fn one(&self, progress: StackProgress) -> StackProgress {
        StackProgress { is_one_of_many: self.line.is_some(), ..progress }
    }

    /// One of them has come to its end.
    pub(super) fn one_done(&self, environment: &Environment, failure: Option<&Error>) {
        let Some(line) = &self.line else { return };
        let counter = if failure.is_none() { &self.done } else { &self.failed };
        counter.set(counter.get() + 1);
        let (done, failed) = (self.done.get(), self.failed.get());
        let left = waves_left(self.begin.elapsed(), done + failed, self.total, self.parallel);
        let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        line.now(format!("{done} of {} environments {}{failed}", self.total, self.verb));
        line.expect(left);
        match failure {
            None => line.event(format_args!("{} {environment} {}", paint(GOOD, '✓'), self.verb)),
            Some(error) => line.event(format_args!("{} {environment}: {error}", paint(BAD, '✗'))),
        }
    }
}

/// How long the environments that have not begun yet will take, if they take as long as those before. Those that are on
/// their way have lines of their own.
fn waves_left(elapsed: Duration, done: usize, total: usize, parallel: usize) -> Option<Duration> {
    let waves = |count: usize| u32::try_from(count.div_ceil(parallel.max(1))).ok();
    let per_wave = elapsed.checked_div(waves(done)?)?;
    let left = (per_wave * waves(total)?).saturating_sub(elapsed);
    (left >= Duration::from_secs(1)).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_come_in_waves() {
        let left = |seconds, done| waves_left(Duration::from_secs(seconds), done, 40, 8).map(|left| left.as_secs());
        assert_eq!(left(50, 1), Some(200), "four waves more");
        assert_eq!(left(60, 8), Some(240));
        assert_eq!(left(110, 9), Some(165));
        assert_eq!(left(250, 33), None);
        assert_eq!(left(10, 0), None);
    }
}
