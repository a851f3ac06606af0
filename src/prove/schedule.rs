//! The ways to interrupt a run. They are a tree: what one run has shown, the next ones interrupt.

use super::observed::Observed;
use crate::aws::gate::{Cut, Turn};
use crate::lab::variant::{Design, Restart};

/// The three moments of a request.
const CUTS: [Cut; 3] = [Cut::BeforeEffect, Cut::AfterEffect, Cut::AfterAnswer];

/// One way to interrupt a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    /// E.g. `improved/put:4/after-effect`; what it follows from is the start of it.
    pub(super) name: String,
    pub(super) how: How,
    /// What the gate is told.
    pub(super) turns: Vec<Turn>,
    /// For each turn that ends before its task does: the request that the task is cut off at, or held before.
    pub(super) points: Vec<String>,
}

/// How long a story is: the shortest one is told. How many interruptions, whether they are kills, after which request, and
/// in which moment of it.
pub(super) type Length = (usize, bool, Option<usize>, Option<Cut>);

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Nothing.
    Undisturbed,
    /// One task after the other is killed, as often as there are turns.
    Kills,
    /// Two tasks run at once, and the gate decides whose request is next.
    TwoCopies,
    /// A task is killed, and the watchdog hears of it in an unusual way.
    Event(Delivery),
    /// The message of an item comes in an unusual way.
    Message(u64, Delivery),
}

/// What may happen to what is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Twice,
    /// After what comes next.
    Late,
    Lost,
}

impl Schedule {
    /// The run that nobody interrupts; all others follow from it.
    pub(super) fn undisturbed(design: &Design) -> Self {
        Self { name: design.name.to_string(), how: How::Undisturbed, turns: Vec::new(), points: Vec::new() }
    }

    /// How many interruptions there are.
    pub(super) fn interruptions(&self) -> usize {
        let messages = usize::from(matches!(self.how, How::Message(..)));
        self.points.len() + messages
    }

    pub(super) fn length(&self) -> Length {
        let first = self.turns.first();
        let (requests, cut) = (first.and_then(|turn| turn.requests), first.and_then(|turn| turn.cut));
        (self.interruptions(), self.how != How::Kills, requests, cut)
    }

    /// How many kills.
    pub(super) fn kills(&self) -> usize {
        self.turns.iter().filter(|turn| turn.cut.is_some()).count()
    }

    /// What to try next, now that it is known what this has come to. `depth`: how many kills there may be in one run.
    pub(super) fn next(&self, design: &Design, observed: &Observed, depth: usize) -> Vec<Self> {
        match self.how {
            How::Undisturbed => {
                let mut next = self.kills_of(observed);
                if design.restart != Restart::ByWatchdog {
                    next.extend(self.copies(observed));
                }
                if design.restart == Restart::NotNeeded {
                    next.extend(self.messages(observed.size));
                }
                next
            }
            How::Kills => {
                let mut next = if self.kills() < depth { self.kills_of(observed) } else { Vec::new() };
                if design.restart == Restart::ByWatchdog
                    && self.turns.last().and_then(|turn| turn.cut) == Some(Cut::AfterEffect)
                {
                    next.extend(self.events());
                }
                next
            }
            How::TwoCopies if self.turns.len() == 3 => self.second_switches(observed),
            _ => Vec::new(),
        }
    }

    fn child(&self, how: How, name: &str, turns: Vec<Turn>, point: Option<&str>) -> Self {
        let points = self.points.iter().cloned().chain(point.map(str::to_owned)).collect();
        Self { name: format!("{}/{name}", self.name), how, turns, points }
    }

    /// The next task is killed at each of its requests, in three ways.
    fn kills_of(&self, observed: &Observed) -> Vec<Self> {
        let task = self.kills() + 1;
        let labels = observed.labels(task);
        let kill = |(place, label): (usize, &String), cut: Cut| {
            let turn = Turn { task, requests: Some(place + 1), cut: Some(cut) };
            let turns = self.turns.iter().cloned().chain([turn]).collect();
            self.child(How::Kills, &format!("{label}/{}", word(cut)), turns, Some(label))
        };
        labels.iter().enumerate().flat_map(|point| CUTS.map(|cut| kill(point, cut))).collect()
    }

    /// The first task is held before each of its requests, until the second one has ended.
    fn copies(&self, observed: &Observed) -> Vec<Self> {
        let labels = observed.labels(1);
        // What is held after its last write has nothing to do but to end.
        let last = observed.last_write(1);
        let held = |(before, label): (usize, &String)| {
            let turns = vec![turn(1, Some(before)), turn(2, None), turn(1, None)];
            self.child(How::TwoCopies, &format!("two-copies/{label}"), turns, Some(label))
        };
        labels.iter().enumerate().take(last).skip(1).map(held).collect()
    }

    /// As before, but the second task is held, too, and goes on when the first one has ended.
    fn second_switches(&self, observed: &Observed) -> Vec<Self> {
        let labels = observed.labels(2);
        let last = observed.last_write(2);
        let held = |(before, label): (usize, &String)| {
            let mut turns = self.turns.clone();
            turns[1].requests = Some(before);
            turns.push(turn(2, None));
            self.child(How::TwoCopies, label, turns, Some(label))
        };
        labels.iter().enumerate().take(last).skip(1).map(held).collect()
    }

    fn events(&self) -> Vec<Self> {
        let event = |delivery| {
            let name = format!("event-{}", delivery_word(delivery));
            self.child(How::Event(delivery), &name, self.turns.clone(), None)
        };
        [Delivery::Twice, Delivery::Late, Delivery::Lost].map(event).into()
    }

    /// A message that is lost once is what a kill after `receive-message` comes to.
    fn messages(&self, size: u64) -> Vec<Self> {
        let message = |index, delivery| {
            let name = format!("message:{index}/{}", delivery_word(delivery));
            self.child(How::Message(index, delivery), &name, Vec::new(), None)
        };
        (0..size).flat_map(|index| [Delivery::Twice, Delivery::Late].map(|how| message(index, how))).collect()
    }
}

fn turn(task: usize, requests: Option<usize>) -> Turn {
    Turn { task, requests, cut: None }
}

/// The moment of a cut, as it is in names.
pub(super) fn word(cut: Cut) -> &'static str {
    match cut {
        Cut::BeforeEffect => "before-effect",
        Cut::AfterEffect => "after-effect",
        Cut::AfterAnswer => "after-answer",
    }
}

fn delivery_word(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Twice => "twice",
        Delivery::Late => "late",
        Delivery::Lost => "lost",
    }
}
