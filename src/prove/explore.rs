//! The whole tree of schedules, over all lanes at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::judge::{Results, judge};
use super::lane::Lane;
use super::observed::Observed;
use super::report::{Failure, Proof};
use super::schedule::{How, Schedule};
use super::story;
use crate::error::{Error, Result};
use crate::lab::variant::Design;
use crate::ui::Progress;

/// How far to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Items of the batch.
    pub(crate) size: u64,
    /// How many kills there may be in one run.
    pub(crate) depth: usize,
    /// After that, no further schedule is begun.
    pub(crate) budget: Option<Duration>,
}

/// Plays every schedule of the design.
///
/// # Errors
/// When the endpoint refuses or is gone.
pub(crate) async fn explore(lanes: &[Lane<'_>], design: &Design, bounds: Bounds, line: &Progress) -> Result<Proof> {
    let begin = Instant::now();
    let first = lanes.first().ok_or_else(|| Error::failed("There is no environment to prove anything in."))?;
    let root = Schedule::undisturbed(design);
    let undisturbed = first.play(design, &root, bounds.size).await?;
    let right = results(&undisturbed);
    let mut proof = Proof::new(design, bounds, undisturbed.labels(1));
    proof.judge(&root, &undisturbed, &right);
    let mut waiting: VecDeque<Schedule> = match proof.is_broken() {
        // What does not work undisturbed need not be disturbed.
        true => VecDeque::new(),
        false => root.next(design, &undisturbed, bounds.depth).into(),
    };
    let mut idle: Vec<&Lane<'_>> = lanes.iter().collect();
    let mut busy = FuturesUnordered::new();
    loop {
        let is_over = bounds.budget.is_some_and(|budget| begin.elapsed() > budget);
        while !is_over && !idle.is_empty() && !waiting.is_empty() {
            if let (Some(lane), Some(schedule)) = (idle.pop(), waiting.pop_front()) {
                busy.push(async move { (lane, lane.play(design, &schedule, bounds.size).await, schedule) });
            }
        }
        let Some((lane, observed, schedule)) = busy.next().await else { break };
        let observed = observed?;
        proof.judge(&schedule, &observed, &right);
        waiting.extend(schedule.next(design, &observed, bounds.depth));
        idle.push(lane);
        line.now(format!("{}: {} schedules played, {} known to be left", design.name, proof.schedules, waiting.len()));
    }
    proof.unexplored = waiting.len();
    proof.seconds = begin.elapsed().as_secs_f64();
    Ok(proof)
}

/// Plays the one schedule of that name, and tells it whatever comes of it.
///
/// # Errors
/// When there is no such schedule, or the endpoint refuses.
pub(crate) async fn replay(lane: &Lane<'_>, design: &Design, size: u64, name: &str) -> Result<Proof> {
    let begin = Instant::now();
    // As deep as the name is long.
    let depth = name.split('/').count();
    let mut schedule = Schedule::undisturbed(design);
    let mut observed = lane.play(design, &schedule, size).await?;
    let right = results(&observed);
    let mut proof = Proof::new(design, Bounds { size, depth, budget: None }, observed.labels(1));
    while schedule.name != name {
        let next = schedule.next(design, &observed, depth);
        let leads = |it: &&Schedule| name == it.name || name.starts_with(&format!("{}/", it.name));
        schedule = next.iter().find(leads).cloned().ok_or_else(|| unknown(name, &schedule, &next))?;
        observed = lane.play(design, &schedule, size).await?;
    }
    proof.judge(&schedule, &observed, &right);
    proof.replayed =
        Some(Failure { schedule: name.to_owned(), why: Vec::new(), story: story::tell(&schedule, &observed) });
    proof.seconds = begin.elapsed().as_secs_f64();
    Ok(proof)
}

fn unknown(name: &str, reached: &Schedule, next: &[Schedule]) -> Error {
    let error = Error::usage(format!("There is no schedule {name}."));
    match next {
        [] => error.cause(format_args!("nothing follows from {}", reached.name)),
        [first, .., last] => error.hint(format!("From {} follow {} to {}.", reached.name, first.name, last.name)),
        [only] => error.hint(format!("From {} follows {}.", reached.name, only.name)),
    }
}

fn results(observed: &Observed) -> Results {
    observed.items.iter().map(|item| (item.item_index, item.result.clone())).collect()
}

impl Proof {
    /// Takes note of what came of a schedule.
    fn judge(&mut self, schedule: &Schedule, observed: &Observed, right: &Results) {
        self.schedules += 1;
        if matches!(schedule.how, How::Kills) {
            self.kills += 1;
        }
        self.diverged.extend(divergence(schedule, observed));
        let broken = judge(self.restart, schedule, observed, right);
        for (invariant, _) in &broken {
            *self.broken.entry(*invariant).or_default() += 1;
        }
        for (invariant, why) in broken {
            let length = schedule.length();
            if self.shortest.get(&invariant).is_none_or(|(known, _)| length < *known) {
                let failure =
                    Failure { schedule: schedule.name.clone(), why: vec![why], story: story::tell(schedule, observed) };
                self.shortest.insert(invariant, (length, failure));
            }
        }
    }
}

/// A request that came in another order than in the run that the schedule follows from.
fn divergence(schedule: &Schedule, observed: &Observed) -> Option<String> {
    let bounded = schedule.turns.iter().filter(|turn| turn.requests.is_some());
    let met = bounded.map(|turn| {
        // A cut hits the last of the turn's requests; a task is held before the one after it.
        let place = turn.requests.unwrap_or_default() - usize::from(turn.cut.is_some());
        all_labels(observed, turn.task).get(place).cloned().unwrap_or_else(|| "the task's end".to_owned())
    });
    let differs = met.zip(&schedule.points).find(|(met, expected)| met != *expected);
    differs.map(|(met, expected)| format!("{}: {met} came instead of {expected}", schedule.name))
}

fn all_labels(observed: &Observed, task: usize) -> Vec<String> {
    let own = observed.requests.iter().filter(|request| request.task == task);
    super::label::labels(own, &observed.batch_id)
}
