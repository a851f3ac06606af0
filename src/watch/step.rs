//! What comes next in the chapter, as a function of what is seen.

use super::seen::{Batch, Seen};
use crate::aws::stack::status::{self, Category};
use crate::aws::stop_reason;
use crate::aws::tasks::Task;
use crate::lab::variant::{Restart, Variant};
use crate::status::StackStatus;
use crate::target::Target;
use crate::worker_log;

/// The index after which the guide interrupts.
pub(crate) const AT_INDEX: u64 = 4;

/// Seconds for an item in the guide, on this machine.
const QUICK: f64 = 5.0;

/// Where in the chapter an environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chapter {
    SetUp,
    /// By its place among the variants.
    Variant(usize),
    Done,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Nobody's before somebody has repaired something.
    Stuck,
    /// The person's.
    Person,
    /// The machine's.
    Machine,
    /// All is done.
    Nobody,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) chapter: Chapter,
    pub(crate) turn: Turn,
    /// In a few words.
    pub(crate) title: String,
    /// Why, in a sentence or two.
    pub(crate) why: String,
    /// What to type for it.
    pub(crate) command: Option<String>,
}

impl Step {
    fn new(chapter: Chapter, turn: Turn, title: impl Into<String>, why: impl Into<String>) -> Self {
        Self { chapter, turn, title: title.into(), why: why.into(), command: None }
    }

    fn command(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }
}

impl Chapter {
    fn of(variant: Option<Variant>) -> Self {
        let place = variant.and_then(|variant| Variant::ALL.iter().position(|it| *it == variant));
        Self::Variant(place.unwrap_or_default())
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SetUp => "set up",
            Self::Variant(place) => Variant::ALL.get(place).map_or("original", |variant| &variant.design().name),
            Self::Done => "done",
        }
    }
}

/// What comes next.
pub(crate) fn next(seen: &Seen) -> Step {
    if let Some(step) = setting_up(seen) {
        return step;
    }
    match seen.batch() {
        Some(batch) => in_batch(seen, &batch),
        None => between_batches(seen),
    }
}

/// Before there is a complete environment.
fn setting_up(seen: &Seen) -> Option<Step> {
    let stack = seen.status.stacks.last()?;
    let up = format!("fis-workshop up{}", seen.environment().flag());
    let step = |turn, title: &str, why: String| Step::new(Chapter::SetUp, turn, title, why);
    let Some(status) = &stack.status else {
        let why = format!("There is no stack {} yet. This makes it, and the network around it.", stack.stack);
        return Some(step(Turn::Person, "Set up the lab", why).command(up));
    };
    if seen.status.table.is_some() && !status.starts_with("DELETE_") {
        return None;
    }
    let why = told(stack, status);
    let category = status::meaning(status).category;
    Some(match category {
        Category::Busy if status.starts_with("DELETE_") => step(Turn::Machine, "It is being taken down", why),
        Category::Busy => step(Turn::Machine, "CloudFormation is at work", why),
        _ => step(Turn::Stuck, "The lab is not complete", why).command(up),
    })
}

fn told(stack: &StackStatus, status: &str) -> String {
    let reason = stack.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("The stack {} is in {status}{reason}.", stack.stack)
}

/// The table is empty, or nothing has run yet.
fn between_batches(seen: &Seen) -> Step {
    if seen.progress().is_some_and(|(written, _)| written > 0) {
        let why = "It holds items of tasks that ECS has forgotten.";
        let chapter = seen.last_variant().map_or(Chapter::of(None), |last| Chapter::of(last.variant));
        return Step::new(chapter, Turn::Person, "Empty the table", why)
            .command(format!("fis-workshop clear{}", seen.environment().flag()));
    }
    let Some(last) = seen.last_variant() else { return run(seen, Variant::Original, first(Variant::Original)) };
    match (last.variant, last.has_survived()) {
        (Some(variant), true) => match after(variant) {
            Some(next) => run(seen, next, first(next)),
            None => done(),
        },
        (Some(variant), false) => run(seen, variant, "The table is empty: from its start."),
        (None, _) => run(seen, Variant::Original, "Your own worker has run. Back to the chapter."),
    }
}

/// Something has run since the table was emptied.
fn in_batch(seen: &Seen, batch: &Batch<'_>) -> Step {
    let chapter = Chapter::of(batch.variant);
    if let Some(said) = seen.status.watchdog.as_ref().filter(|said| said.has_given_up()) {
        return Step::new(chapter, Turn::Stuck, "The watchdog has given up", said.message.clone())
            .command(format!("fis-workshop logs watchdog --function{}", seen.environment().flag()));
    }
    match (batch.is_at_work(), batch.interrupted()) {
        (true, None) => interrupt(seen, batch),
        (true, Some(_)) => Step::new(chapter, Turn::Machine, "It goes on", going_on(seen)),
        (false, _) if seen.is_complete() => complete(seen, batch),
        (false, Some(task)) => again(seen, batch, task),
        (false, None) => failed(seen, batch),
    }
}

/// The job runs: now break it.
fn interrupt(seen: &Seen, batch: &Batch<'_>) -> Step {
    let flag = seen.environment().flag();
    let shares = batch.variant.is_some_and(|variant| variant.design().tasks > 1);
    let step = |why: &str| Step::new(Chapter::of(batch.variant), Turn::Person, "Break it", why);
    if shares {
        return step("The experiment stops one of the tasks, whichever FIS picks.")
            .command(format!("fis-workshop interrupt --one{flag}"));
    }
    let last = seen.progress().map_or(AT_INDEX, |(_, size)| size.saturating_sub(1));
    let index = AT_INDEX.min(last);
    step("The experiment stops the task when that index is written. Where will it go on?")
        .command(format!("fis-workshop interrupt --at-index {index}{flag}"))
}

/// Where the task that runs has begun.
fn going_on(seen: &Seen) -> String {
    let size = seen.progress().map_or(0, |(_, size)| size);
    let start = seen.log.iter().rev().find_map(|it| worker_log::start(&it.line.message, size));
    match start {
        Some(index) => format!("The interruption is over: it began again at index {index}."),
        None => "The interruption is over: watch the log.".to_owned(),
    }
}

/// All items are there.
fn complete(seen: &Seen, batch: &Batch<'_>) -> Step {
    let chapter = Chapter::of(batch.variant);
    let clear = format!("fis-workshop clear{}", seen.environment().flag());
    if batch.interrupted().is_none() {
        return Step::new(chapter, Turn::Person, "Empty the table", "Nobody has interrupted it. Once more.")
            .command(clear);
    }
    let twice = seen.writes().values().filter(|writes| **writes > 1).count();
    let price = match twice {
        0 => "Nothing was done twice.".to_owned(),
        1 => "One item was done twice.".to_owned(),
        _ => format!("{twice} items were done twice."),
    };
    let why = format!("It is complete. {price}");
    match batch.variant.map(after) {
        Some(None) => Step { why, ..done() },
        _ => Step::new(chapter, Turn::Person, "Empty the table for the next one", why).command(clear),
    }
}

/// It was interrupted, and nothing runs.
fn again(seen: &Seen, batch: &Batch<'_>, interrupted: &Task) -> Step {
    let left = seen.status.table.as_ref().map_or(0, |table| table.missing.len());
    let stopped = stop_reason::meaning(interrupted).map_or("It was interrupted.", |meaning| meaning.what);
    let why = format!("{stopped} {left} items are missing.");
    match batch.variant {
        Some(variant) if variant.design().restart == Restart::ByWatchdog => {
            let why = format!("{why} The watchdog starts it again.");
            Step::new(Chapter::of(batch.variant), Turn::Machine, "Start nothing", why)
        }
        Some(variant) => Step { title: "Run it again".to_owned(), ..run(seen, variant, &why) },
        None => Step::new(Chapter::of(None), Turn::Person, "Run your worker again", why),
    }
}

/// It ended by itself, without all items.
fn failed(seen: &Seen, batch: &Batch<'_>) -> Step {
    let meaning = batch.newest().and_then(|task| match batch.variant {
        Some(_) => stop_reason::meaning(task),
        None => stop_reason::meaning_of_own(task),
    });
    let why = meaning.map_or_else(
        || "The task ended, and items are missing.".to_owned(),
        |meaning| format!("{} {}", meaning.what, meaning.remedy),
    );
    let logs = format!("fis-workshop logs{}", seen.environment().flag());
    Step::new(Chapter::of(batch.variant), Turn::Stuck, "The task has failed", why).command(logs)
}

fn run(seen: &Seen, variant: Variant, why: &str) -> Step {
    let title = format!("Run the {} version", variant.design().name);
    Step::new(Chapter::of(Some(variant)), Turn::Person, title, why).command(run_command(seen, variant))
}

/// What runs a variant, as slowly as the guide does.
pub(crate) fn run_command(seen: &Seen, variant: Variant) -> String {
    let design = variant.design();
    let tasks = if design.tasks > 1 { " --count 3" } else { "" };
    let slow = seen.item_seconds > QUICK && seen.status.target == Target::Local;
    let seconds = if slow { format!(" --item-seconds {QUICK}") } else { String::new() };
    format!("fis-workshop run {}{tasks}{seconds}{}", design.name, seen.environment().flag())
}

/// What to expect of a variant, before it is run for the first time.
fn first(variant: Variant) -> &'static str {
    match variant {
        Variant::Original => "The batch from its start. Predict: where will it go on when it is interrupted?",
        Variant::Improved => "It asks the table where to go on. Predict: how many items will be done twice?",
        Variant::Watchdog => "A function watches it. Predict: who will start it again?",
        Variant::Queue => "Its tasks share the items of a queue. Predict: what does one that is stopped cost?",
    }
}

fn after(variant: Variant) -> Option<Variant> {
    let place = Variant::ALL.iter().position(|it| *it == variant)?;
    Variant::ALL.get(place + 1).copied()
}

fn done() -> Step {
    Step::new(Chapter::Done, Turn::Nobody, "You are through", "All four versions were interrupted, and completed.")
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
