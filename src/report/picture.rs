//! A turn as SVG. Places across are percentages, so that the picture is as wide as the page and its letters stay as they are,
//! on a phone and on paper.

use maud::{Markup, html};

use super::clock::{self, Clock};
use super::timeline::{Experiment, Task, Turn, Write};
use crate::aws::watchdog::STARTED_BY as WATCHDOG;

/// Height of a task's lane: a line of words, and a bar below it.
const LANE: u32 = 40;
/// Where in a lane the words stand, and where the bar begins.
const WORDS: u32 = 14;
const BAR: u32 = 19;
const BAR_HEIGHT: u32 = 14;
/// Height of an experiment's lane, above those of the tasks: its words stand beside it.
const FAULT: u32 = 20;
/// Shapes that the pictures use; once in a page.
pub(super) fn shapes() -> Markup {
    html! {
        svg.shapes aria-hidden="true" width="0" height="0" {
            defs {
                path #again d="M0 -5 L5 0 L0 5 L-5 0 Z" {}
            }
        }
    }
}

/// The picture of a turn. `label` says in words what it shows.
pub(super) fn picture(turn: &Turn, clock: Clock, label: &str) -> Markup {
    let top_of = |lanes: usize, height: u32| u32::try_from(lanes).unwrap_or_default().saturating_mul(height);
    let tasks = top_of(turn.experiments.len(), FAULT);
    let bottom = tasks.saturating_add(top_of(turn.tasks.len(), LANE));
    html! {
        svg.timeline role="img" aria-label=(label) width="100%" height=(bottom.saturating_add(clock::HEIGHT)) {
            (clock.grid(bottom))
            @for (lane, experiment) in turn.experiments.iter().enumerate() {
                (fault(turn, experiment, top_of(lane, FAULT) + FAULT / 2, bottom, clock))
            }
            @for (number, task) in (1..).zip(&turn.tasks) {
                (lane(turn, task, number, tasks.saturating_add(top_of(number - 1, LANE)), clock))
            }
        }
    }
}

/// An experiment, and the line that it draws through all tasks.
fn fault(turn: &Turn, experiment: &Experiment, middle: u32, bottom: u32, clock: Clock) -> Markup {
    let Experiment { id, start, end, last_index, items, .. } = experiment;
    let is_in_order = turn.experiments.iter().all(|experiment| experiment.hit.len() < 2) && turn.tasks.len() < 5;
    let words = match last_index {
        Some(index) if is_in_order => format!("experiment, after index {index}"),
        _ => format!("experiment, {items} items written"),
    };
    let (from, to) = (clock.place(*start), clock.place(end.unwrap_or(turn.end)));
    // Beside it where there is room.
    let is_late = clock.share(*start) > 60.0;
    let (anchor, away, place) = if is_late { ("end", "-12", &from) } else { ("start", "12", &to) };
    html! {
        g.experiment data-experiment=(id) data-last-index=[*last_index] {
            title { (id) ", " (format!("{start:.2} s")) }
            line.cut x1=(from) x2=(from) y1=(middle) y2=(bottom) {}
            // Its ends are round, so that it is a dot however short it was.
            line.fault x1=(from) x2=(to) y1=(middle) y2=(middle) {}
            text x=(place) dx=(away) y=(middle + 4) text-anchor=(anchor) { (words) }
        }
    }
}

fn lane(turn: &Turn, task: &Task, number: usize, top: u32, clock: Clock) -> Markup {
    let bar = top + BAR;
    html! {
        g.task data-task=(task.id) {
            text.words x="0" y=(top + WORDS) { (words(turn, task, number)) }
            @for (state, begin, end) in task.spans(turn.end) {
                rect class=(state.name().to_lowercase()) x=(clock.place(begin)) y=(bar)
                    width=(clock.place((end - begin).max(0.0))) height=(BAR_HEIGHT) {
                    title { (state.name()) ", " (format!("{begin:.2} to {end:.2} s")) }
                }
            }
            @for write in &task.writes { (tick(write, bar, clock)) }
        }
    }
}

/// An item on the bar of its task. One that was done again has another form, not only another colour.
fn tick(write: &Write, bar: u32, clock: Clock) -> Markup {
    let Write { index, at, again } = write;
    let place = clock.place(*at);
    html! {
        g.item .again[*again] data-index=(index) data-again=[again.then_some("")] {
            title { "item " (index) @if *again { ", done again" } ", " (format!("{at:.2} s")) }
            @if *again {
                use href="#again" x=(place) y=(bar + BAR_HEIGHT / 2) {}
            } @else {
                line x1=(place) x2=(place) y1=(bar + 2) y2=(bar + BAR_HEIGHT - 2) {}
            }
        }
    }
}

/// What there is to say of a task in the width of a phone.
pub(super) fn words(turn: &Turn, task: &Task, number: usize) -> String {
    let by_watchdog = task.started_by.as_deref().is_some_and(|by| by.starts_with(WATCHDOG));
    let by = if by_watchdog { ", by the watchdog" } else { "" };
    let end = match (turn.is_hit(task), task.exit_code) {
        (true, Some(code)) => format!(": interrupted, exit code {code}"),
        (true, None) => ": interrupted".to_owned(),
        (false, Some(code)) => format!(": exit code {code}"),
        (false, None) => String::new(),
    };
    format!("Task {number}{by}{end}")
}
