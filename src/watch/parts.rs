//! The parts of the page, each as HTML.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::seen::{Batch, Seen};
use super::step::{Chapter, Step, Turn};
use crate::aws::arn;
use crate::aws::logs::TaskLine;
use crate::aws::stack::status;
use crate::aws::stop_reason;
use crate::aws::tasks::Task;
use crate::lab::variant::Variant;
use crate::place::Place;
use crate::status::StackStatus;

/// More items than this are a bar and not a cell each.
const CELLS: u64 = 200;

/// So many of the last lines of the log.
const LINES: usize = 200;

/// So many of the last tasks, and experiments.
const ROWS: usize = 6;

/// Tasks have so many colours in turn.
const COLOURS: usize = 4;

pub(super) fn problem(text: Option<&str>, place: &Place) -> Markup {
    html! { @if let Some(text) = text { p.problem { "✗ " (prose(text, place)) } } }
}

pub(super) fn chapter(now: Chapter) -> Markup {
    let variants = (0..Variant::ALL.len()).map(Chapter::Variant);
    let chapters = std::iter::once(Chapter::SetUp).chain(variants).chain([Chapter::Done]);
    html! {
        ol.chapter {
            @for chapter in chapters {
                @let class = if chapter < now { "past" } else { "" };
                li class=(class) aria-current=[(chapter == now).then_some("step")] { (chapter.name()) }
            }
        }
    }
}

pub(super) fn next(step: &Step, place: &Place) -> Markup {
    let class = match step.turn {
        Turn::Stuck => "stuck",
        Turn::Person => "person",
        Turn::Machine => "machine",
        Turn::Nobody => "over",
    };
    html! {
        div class=(format!("step {class}")) {
            h2 { (step.title) }
            p { (prose(&step.why, place)) }
            @if let Some(command) = &step.command {
                pre { code { (place.repeat(command)) } }
            }
        }
    }
}

/// A text in which commands are between backticks.
pub(super) fn prose(text: &str, place: &Place) -> Markup {
    let text = place.complete(text);
    html! {
        @for (number, piece) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

pub(super) fn items(seen: &Seen) -> Markup {
    let Some((written, size)) = seen.progress() else { return html! { h2 { "No table yet" } } };
    let missing = size - written;
    html! {
        h2 { "Table" }
        p.count { strong { (written) } " of " (size) " items" }
        @if size > CELLS {
            progress max=(size) value=(written) {}
            p { (missing) " missing" }
        } @else {
            ol.cells { @for cell in cells(seen, size) { (cell) } }
        }
        @if let Some(depth) = seen.status.queue.filter(|depth| *depth != Default::default()) {
            p { (depth.waiting) " messages in the queue, " (depth.in_work) " in work, " (depth.dead) " given up" }
        }
    }
}

/// A cell for each index: by which task it was written, and how often.
fn cells(seen: &Seen, size: u64) -> Vec<Markup> {
    let (batch, writes) = (seen.batch(), seen.writes());
    let written: BTreeMap<_, _> =
        seen.status.table.iter().flat_map(|table| &table.written).map(|item| (item.item_index, item)).collect();
    let highest = written.keys().next_back().copied();
    let cell = |index: u64| {
        let Some(item) = written.get(&index) else {
            // What is missing in between is a gap, the rest is still to come.
            let (class, is) = if Some(index) < highest { ("gap", "missing") } else { ("", "to come") };
            return html! { li class=(class) { (index) span.aside { (is) } } };
        };
        let task = batch.as_ref().and_then(|batch| place_of(batch, &item.task_id));
        let times = writes.get(&index).copied().unwrap_or_default();
        html! {
            li.written data-task=[task.map(|place| place % COLOURS)] {
                (index)
                @if times > 1 { span.twice { "×" (times) } }
                span.aside { "written" @if let Some(place) = task { " by task " (place + 1) } }
            }
        }
    };
    (0..size).map(cell).collect()
}

/// Which of the batch's tasks this is.
fn place_of(batch: &Batch<'_>, task_id: &str) -> Option<usize> {
    batch.tasks.iter().position(|task| arn::task_id(&task.task_arn) == arn::task_id(task_id))
}

pub(super) fn log(seen: &Seen) -> Markup {
    let batch = seen.batch();
    let skipped = seen.log.len().saturating_sub(LINES);
    html! {
        h2 { "Log" }
        // Last in the flow and reversed by the style sheet, so that the end stays in sight.
        div.scroll tabindex="0" role="log" aria-label="Log of the tasks" {
            ol {
                @if skipped > 0 { li.faint { (skipped) " lines before" } }
                @for TaskLine { task_id, line } in seen.log.iter().skip(skipped) {
                    @let place = batch.as_ref().and_then(|batch| place_of(batch, task_id));
                    li data-task=[place.map(|place| place % COLOURS)] {
                        span.task { (place.map_or_else(String::new, |place| (place + 1).to_string())) }
                        (line.message)
                    }
                }
                @if seen.log.is_empty() { li.faint { "Nothing yet." } }
            }
        }
    }
}

pub(super) fn tasks(seen: &Seen) -> Markup {
    let batch = seen.batch();
    html! {
        h2 { "Tasks" }
        @if seen.status.tasks.is_empty() { p.faint { "None has run." } } @else {
            table {
                thead { tr { th { "task" } th { "version" } th { "state" } th { "since" } } }
                tbody {
                    @for it in seen.status.tasks.iter().take(ROWS) {
                        @let place = batch.as_ref().and_then(|batch| place_of(batch, &it.task.task_arn));
                        tr {
                            td data-task=[place.map(|place| place % COLOURS)] {
                                span.task { (place.map_or_else(String::new, |place| (place + 1).to_string())) }
                                code { (arn::short_id(&it.task.task_arn)) }
                            }
                            td { (it.variant.unwrap_or("another")) }
                            td { (state(&it.task)) }
                            td { (since(&it.task)) }
                        }
                    }
                }
            }
        }
    }
}

fn state(task: &Task) -> Markup {
    let code = task.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
    let meaning = stop_reason::meaning(task).filter(|_| task.is_stopped());
    html! { (task.last_status) (code) @if let Some(meaning) = meaning { br; span.faint { (meaning.what) } } }
}

/// How long it runs, or when it ended.
fn since(task: &Task) -> Markup {
    let started = task.started_at.as_deref().or(task.created_at.as_deref()).unwrap_or_default();
    html! {
        @match &task.stopped_at {
            Some(stopped) => time datetime=(stopped) { (clock(stopped)) },
            None => time datetime=(started) data-running { (clock(started)) },
        }
    }
}

pub(super) fn experiments(seen: &Seen) -> Markup {
    html! {
        h2 { "Experiments" }
        @if seen.status.experiments.is_empty() { p.faint { "None was started." } } @else {
            table {
                thead { tr { th { "experiment" } th { "status" } th { "at" } } }
                tbody {
                    @for it in seen.status.experiments.iter().take(ROWS) {
                        tr {
                            td { code { (it.experiment_id) } @if it.is_preview() { " (preview)" } }
                            td { (it.status.as_str()) br; span.faint { (it.reason) } }
                            td { @if let Some(at) = &it.started_at { time datetime=(at) { (clock(at)) } } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn stacks(stacks: &[StackStatus]) -> Markup {
    html! {
        h2 { "Stacks" }
        ul {
            @for stack in stacks {
                @match &stack.status {
                    Some(status) => li { (status::meaning(status).symbol) " " (stack.stack) " " span.faint { (status) } },
                    None => li { "- " (stack.stack) " " span.faint { "not set up" } },
                }
            }
        }
    }
}

/// `01:34:35` (UTC) of a time in RFC 3339.
fn clock(time: &str) -> &str {
    time.get(11..19).unwrap_or(time)
}
