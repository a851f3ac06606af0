//! A run as a person would tell it.

use super::judge::{again, ending};
use super::label::{labels, written};
use super::observed::{Observed, Starter};
use super::schedule::{How, Schedule, word};
use crate::aws::gate::{Outcome, Request};

/// So many lines in a row that say the same of different requests are told by the first and the last of them.
const DULL: usize = 3;

/// The story, line by line.
pub(super) fn tell(schedule: &Schedule, observed: &Observed) -> Vec<String> {
    let mut passed: Vec<(&Request, String)> = Vec::new();
    for task in 1..=observed.tasks.len() {
        let own: Vec<_> = observed.requests.iter().filter(|request| request.task == task).collect();
        let names = labels(own.iter().copied(), &observed.batch_id);
        passed.extend(own.into_iter().zip(names).filter(|(request, _)| request.passed.is_some()));
    }
    passed.sort_by_key(|(request, _)| request.passed);
    let mut teller = Teller { observed, lines: Vec::new(), begun: 0, present: 0, dull: Default::default() };
    if let How::Event(_) | How::Message(..) = schedule.how {
        teller.lines.push(format!("  {}", delivery(schedule)));
    }
    for (request, label) in &passed {
        teller.request(request, label);
    }
    teller.end();
    teller.lines
}

fn delivery(schedule: &Schedule) -> String {
    let name = schedule.name.rsplit('/').next().unwrap_or_default();
    match schedule.how {
        How::Message(index, _) => format!("The message of item {index} comes {name}."),
        _ => format!("The news of the task's end: {name}."),
    }
}

struct Teller<'a> {
    observed: &'a Observed,
    lines: Vec<String>,
    /// Tasks that have been introduced.
    begun: usize,
    /// Whose request was told last.
    present: usize,
    /// Lines that say the same, and what that is.
    dull: (String, Vec<String>),
}

impl Teller<'_> {
    fn request(&mut self, request: &Request, label: &str) {
        if request.task != self.present {
            self.flush();
            self.introduce(request.task);
            self.present = request.task;
        }
        let is_again = written(request, &self.observed.batch_id).iter().any(|index| self.is_repeated(request, *index));
        let mark = if is_again { ", for the second time" } else { "" };
        let what = match (request.outcome, &request.error) {
            (Outcome::Refused, Some(code)) => format!("refused: {code}"),
            (Outcome::Refused, None) => "refused".to_owned(),
            (Outcome::Prevented, _) => "killed before anything was done".to_owned(),
            (Outcome::Begun | Outcome::Held | Outcome::GivenUp, _) => "nobody knows".to_owned(),
            (Outcome::Done, _) => "done".to_owned(),
        };
        let cut = match request.cut.filter(|_| request.outcome != Outcome::Prevented) {
            Some(cut) if word(cut) == "after-effect" => "; killed before it was told",
            Some(_) => "; killed after it was told",
            None => "",
        };
        let what = format!("{what}{mark}{cut}");
        if what != self.dull.0 {
            self.flush();
        }
        self.dull.1.push(format!("    {label:<18} {what}"));
        self.dull.0 = what;
    }

    /// Whether an earlier request has done the same item.
    fn is_repeated(&self, request: &Request, index: u64) -> bool {
        let earlier = |it: &&Request| it.passed < request.passed && it.passed.is_some() && it.outcome == Outcome::Done;
        let mut earlier = self.observed.requests.iter().filter(earlier);
        again(self.observed).contains(&index) && earlier.any(|it| written(it, &self.observed.batch_id).contains(&index))
    }

    fn introduce(&mut self, task: usize) {
        if task <= self.begun {
            self.lines.push(format!("  task {task} goes on"));
            return;
        }
        self.begun = task;
        let items: Vec<_> = self.written_so_far().iter().map(u64::to_string).collect();
        let who = match self.observed.tasks.get(task - 1).map(|task| task.starter) {
            Some(Starter::Watchdog) => "started by the watchdog",
            _ => "started by hand",
        };
        let table = match items.as_slice() {
            [] => "the table is empty".to_owned(),
            [one] => format!("the table holds item {one}"),
            [first, .., last] => format!("the table holds {} items, {first} to {last}", items.len()),
        };
        self.lines.push(format!("  task {task}, {who}: {table}"));
    }

    /// Items in the table after the requests that have been told.
    fn written_so_far(&self) -> std::collections::BTreeSet<u64> {
        let last = self.told();
        let done = self.observed.requests.iter().filter(|it| it.outcome == Outcome::Done && it.passed < last);
        done.flat_map(|request| written(request, &self.observed.batch_id)).collect()
    }

    /// The number of the request that comes next.
    fn told(&self) -> Option<usize> {
        let own = self.observed.requests.iter().filter(|request| request.task == self.begun);
        own.filter_map(|request| request.passed).min()
    }

    /// All of the lines that say the same, if they are few, or the ends.
    fn flush(&mut self) {
        let (_, dull) = std::mem::take(&mut self.dull);
        match dull.as_slice() {
            [first, between @ .., last] if between.len() > DULL => {
                let more = format!("    ... {} more ...", between.len());
                self.lines.extend([first.clone(), more, last.clone()]);
            }
            _ => self.lines.extend(dull),
        }
    }

    fn end(&mut self) {
        self.flush();
        for (place, task) in self.observed.tasks.iter().enumerate() {
            let silent = !self.observed.requests.iter().any(|request| request.task == place + 1);
            let silent = if silent { " without a single request" } else { "" };
            self.lines.push(format!("  task {} {}{silent}", place + 1, ending(task)));
        }
    }
}
