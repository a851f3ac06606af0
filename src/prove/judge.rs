//! Which invariants a run has broken, and by what.

use std::collections::{BTreeMap, BTreeSet};

use super::label::written;
use super::observed::{Observed, Ran};
use super::schedule::{How, Schedule};
use crate::aws::gate::Outcome;
use crate::lab::invariant::Invariant;
use crate::lab::variant::Restart;
use crate::worker_log;

/// An invariant that did not hold, and why, in a sentence.
pub(super) type Broken = (Invariant, String);

/// Results of the items by index.
pub(super) type Results = BTreeMap<u64, String>;

/// The invariants that a design could break at all.
pub(super) fn apply_to(restart: Restart) -> Vec<Invariant> {
    let applies = |invariant: &Invariant| match invariant {
        Invariant::NothingLeft => restart == Restart::NotNeeded,
        Invariant::OneTaskAtATime => restart == Restart::ByWatchdog,
        Invariant::NothingAfterReplaced => restart == Restart::ByHand,
        _ => true,
    };
    Invariant::ALL.iter().copied().filter(applies).collect()
}

/// Looks for all of them.
pub(super) fn judge(restart: Restart, schedule: &Schedule, observed: &Observed, right: &Results) -> Vec<Broken> {
    let broken = |invariant: Invariant| {
        let why = match invariant {
            Invariant::EveryItemOnce => wrong_items(observed, right),
            Invariant::OneItemAgain => too_much_again(schedule, observed),
            Invariant::Ends => no_end(restart, observed),
            Invariant::NothingAfterReplaced => written_by_replaced(schedule, observed),
            Invariant::LogIsTrue => false_lines(observed),
            Invariant::NothingLeft => messages_left(observed),
            Invariant::OneTaskAtATime => one_too_many(schedule, observed),
        };
        why.map(|why| (invariant, why))
    };
    apply_to(restart).into_iter().filter_map(broken).collect()
}

fn list(indexes: impl IntoIterator<Item = u64>) -> String {
    indexes.into_iter().map(|index| index.to_string()).collect::<Vec<_>>().join(", ")
}

fn wrong_items(observed: &Observed, right: &Results) -> Option<String> {
    let found: BTreeMap<u64, &str> =
        observed.items.iter().map(|item| (item.item_index, item.result.as_str())).collect();
    let missing: Vec<_> = (0..observed.size).filter(|index| !found.contains_key(index)).collect();
    if !missing.is_empty() {
        return Some(format!("Missing at the end: {}.", list(missing)));
    }
    let wrong = |(index, result): &(&u64, &&str)| right.get(*index).is_none_or(|right| right != **result);
    let wrong: Vec<_> = found.iter().filter(wrong).map(|(index, _)| *index).collect();
    (!wrong.is_empty()).then(|| format!("Wrong at the end: {}.", list(wrong)))
}

/// How often each item was written, or would have been, had the table not refused it.
fn attempts(observed: &Observed) -> BTreeMap<u64, usize> {
    let mut attempts = BTreeMap::new();
    let ran = observed.requests.iter().filter(|it| matches!(it.outcome, Outcome::Done | Outcome::Refused));
    for index in ran.flat_map(|request| written(request, &observed.batch_id)) {
        *attempts.entry(index).or_default() += 1;
    }
    attempts
}

/// The items that were done more than once.
pub(super) fn again(observed: &Observed) -> BTreeSet<u64> {
    attempts(observed).into_iter().filter(|(_, times)| *times > 1).map(|(index, _)| index).collect()
}

fn too_much_again(schedule: &Schedule, observed: &Observed) -> Option<String> {
    let times: usize = attempts(observed).values().map(|times| times - 1).sum();
    let may = schedule.interruptions();
    (times > may).then(|| {
        let often = match may {
            0 => "nobody interrupted it".to_owned(),
            1 => "it was interrupted once".to_owned(),
            several => format!("it was interrupted {several} times"),
        };
        format!("Done again: {}; {often}.", list(again(observed)))
    })
}

fn no_end(restart: Restart, observed: &Observed) -> Option<String> {
    if let Some(place) = observed.tasks.iter().position(|task| task.hung) {
        return Some(format!("Task {} hangs: it makes no more requests, and does not end.", place + 1));
    }
    // The watchdog starts nobody to find out that nothing is left to do.
    if restart == Restart::ByWatchdog && observed.items.len() as u64 == observed.size {
        return None;
    }
    let last = observed.tasks.last()?;
    (!observed.succeeded()).then(|| format!("Task {} {}.", observed.tasks.len(), ending(last)))
}

/// How a task ended.
pub(super) fn ending(task: &Ran) -> String {
    match task.exit_code {
        Some(0) => "ended well".to_owned(),
        Some(137) => "was killed".to_owned(),
        Some(code) => {
            let said = task.log.last().map(|line| format!(": {line}")).unwrap_or_default();
            format!("ended with exit code {code}{said}")
        }
        None if task.hung => "was stopped, because it hung".to_owned(),
        None => "did not run".to_owned(),
    }
}

fn written_by_replaced(schedule: &Schedule, observed: &Observed) -> Option<String> {
    if schedule.how != How::TwoCopies {
        return None;
    }
    let mut writes: Vec<_> = observed.requests.iter().filter(|it| it.outcome == Outcome::Done).collect();
    writes.retain(|request| !written(request, &observed.batch_id).is_empty());
    writes.sort_by_key(|request| request.passed);
    let replaced = writes.iter().position(|request| request.task == 2)?;
    let late = writes[replaced..].iter().find(|request| request.task == 1)?;
    let items = list(written(late, &observed.batch_id));
    Some(format!("Task 2 had taken over, and then task 1 wrote item {items}."))
}

fn false_lines(observed: &Observed) -> Option<String> {
    let there: BTreeSet<u64> = observed.items.iter().map(|item| item.item_index).collect();
    let lines = observed.tasks.iter().flat_map(|task| &task.log);
    let said = lines.filter_map(|line| worker_log::put(line)).map(|(index, _)| index);
    let missing: Vec<_> = said.filter(|index| !there.contains(index)).collect();
    (!missing.is_empty()).then(|| format!("A log calls written what is not there: {}.", list(missing)))
}

fn messages_left(observed: &Observed) -> Option<String> {
    let depth = observed.messages;
    let left = depth.waiting + depth.in_work;
    (left + depth.dead > 0).then(|| format!("{left} messages are left, {} were given up.", depth.dead))
}

fn one_too_many(schedule: &Schedule, observed: &Observed) -> Option<String> {
    let (ran, needed) = (observed.tasks.len(), schedule.kills() + 1);
    (ran > needed).then(|| format!("{ran} tasks were started, where {needed} are needed."))
}
