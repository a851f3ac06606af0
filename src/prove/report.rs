//! What the command prints.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::explore::Bounds;
use super::judge::apply_to;
use super::schedule::Length;
use crate::lab::invariant::Invariant;
use crate::lab::report::Verdict;
use crate::lab::variant::{Design, Restart};
use crate::ui::{BAD, FAINT, GOOD, NOTICE, paint};

/// All that was proved.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    pub(crate) variants: Vec<Proof>,
}

/// What one variant has shown.
#[derive(Debug)]
pub(crate) struct Proof {
    variant: Cow<'static, str>,
    pub(super) restart: Restart,
    may_break: &'static [Invariant],
    bounds: Bounds,
    /// Those of the run that nobody interrupts.
    requests: Vec<String>,
    pub(super) schedules: usize,
    pub(super) kills: usize,
    pub(super) seconds: f64,
    /// By how many schedules.
    pub(super) broken: BTreeMap<Invariant, usize>,
    pub(super) shortest: BTreeMap<Invariant, (Length, Failure)>,
    /// Runs in which the requests came in another order than before.
    pub(super) diverged: Vec<String>,
    /// Schedules for which there was no time.
    pub(super) unexplored: usize,
    /// What a command has to say besides the schedule to play one again.
    pub(crate) flags: String,
    /// The one schedule that was asked for.
    pub(super) replayed: Option<Failure>,
}

/// A run that breaks something.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(super) schedule: String,
    pub(super) why: Vec<String>,
    pub(super) story: Vec<String>,
}

impl Report {
    pub(crate) fn new(variants: Vec<Proof>) -> Self {
        let holds = variants.iter().all(Proof::holds);
        Self { verdict: if holds { Verdict::Pass } else { Verdict::Fail }, variants }
    }

    /// Whether every variant is what its design says.
    pub(crate) fn passed(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

impl Proof {
    pub(super) fn new(design: &Design, bounds: Bounds, requests: Vec<String>) -> Self {
        Self {
            variant: design.name.clone(),
            restart: design.restart,
            may_break: design.breaks,
            bounds,
            requests,
            schedules: 0,
            kills: 0,
            seconds: 0.0,
            broken: BTreeMap::new(),
            shortest: BTreeMap::new(),
            diverged: Vec::new(),
            unexplored: 0,
            flags: String::new(),
            replayed: None,
        }
    }

    /// How much was tried.
    pub(crate) fn headline(&self) -> String {
        let Self { variant, kills, seconds, .. } = self;
        let (requests, schedules) = (self.requests.len(), counted(self.schedules));
        format!("{variant}: {requests} requests, {kills} kills, {schedules}, {seconds:.1} s")
    }

    pub(super) fn is_broken(&self) -> bool {
        !self.broken.is_empty()
    }

    /// What may break is broken, if all was tried, and nothing else.
    fn holds(&self) -> bool {
        let is_known = |invariant: &Invariant| self.may_break.contains(invariant);
        let nothing_else = self.broken.keys().all(is_known);
        let all_known = self.may_break.iter().all(|invariant| self.broken.contains_key(invariant));
        !self.requests.is_empty() && nothing_else && (self.is_part() || all_known)
    }

    /// Whether schedules were left out.
    fn is_part(&self) -> bool {
        self.replayed.is_some() || self.unexplored > 0
    }

    /// The shortest run that breaks what must not break, or else what may.
    fn worst(&self) -> Option<(&Failure, Vec<(Invariant, &str)>)> {
        let by_length = |it: &(&Invariant, &(Length, Failure))| (self.may_break.contains(it.0), it.1.0);
        let (_, (_, worst)) = self.shortest.iter().min_by_key(by_length)?;
        let same = self.shortest.iter().filter(|(_, (_, failure))| failure.schedule == worst.schedule);
        let why = same.flat_map(|(invariant, (_, failure))| failure.why.iter().map(|why| (*invariant, why.as_str())));
        Some((worst, why.collect()))
    }
}

impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = |invariant: Invariant| Row {
            invariant,
            says: invariant.to_string(),
            broken: self.broken.get(&invariant).copied().unwrap_or_default(),
            may_break: self.may_break.contains(&invariant),
        };
        let failures = self.shortest.values().map(|(_, failure)| failure).collect();
        Document {
            variant: self.variant.clone(),
            verdict: if self.holds() { Verdict::Pass } else { Verdict::Fail },
            items: self.bounds.size,
            depth: self.bounds.depth,
            requests: &self.requests,
            schedules: self.schedules,
            kills: self.kills,
            unexplored: self.unexplored,
            seconds: self.seconds,
            invariants: apply_to(self.restart).into_iter().map(row).collect(),
            failures,
            diverged: &self.diverged,
            replayed: self.replayed.as_ref(),
        }
        .serialize(serializer)
    }
}

/// A proof in JSON.
#[derive(Serialize)]
struct Document<'a> {
    variant: Cow<'static, str>,
    verdict: Verdict,
    items: u64,
    depth: usize,
    requests: &'a [String],
    schedules: usize,
    kills: usize,
    unexplored: usize,
    seconds: f64,
    invariants: Vec<Row>,
    /// The shortest run that breaks an invariant, for each.
    failures: Vec<&'a Failure>,
    diverged: &'a [String],
    replayed: Option<&'a Failure>,
}

#[derive(Serialize)]
struct Row {
    invariant: Invariant,
    says: String,
    /// By how many schedules.
    broken: usize,
    may_break: bool,
}

/// Those of a failing run, for people.
fn tell(f: &mut fmt::Formatter<'_>, story: &[String]) -> fmt::Result {
    story.iter().try_for_each(|line| writeln!(f, "  {}", paint(FAINT, line)))
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Failure { schedule, story, .. }) = &self.replayed {
            writeln!(f, "{schedule}")?;
            tell(f, story)?;
        } else {
            writeln!(f, "{}", self.headline())?;
        }
        apply_to(self.restart).into_iter().try_for_each(|invariant| self.row(f, invariant))?;
        if self.requests.is_empty() {
            writeln!(f, "  {} It has made no request: there is nothing to interrupt.", paint(BAD, '✗'))?;
        }
        if let Some((worst, why)) = self.worst().filter(|_| self.replayed.is_none()) {
            writeln!(f, "  The shortest run that breaks it is {}:", worst.schedule)?;
            tell(f, &worst.story)?;
            why.iter().try_for_each(|(_, why)| writeln!(f, "    {why}"))?;
            let (schedule, flags) = (&worst.schedule, &self.flags);
            writeln!(f, "    `fis-workshop prove --schedule {schedule}{flags}` plays it again.")?;
        }
        self.limits(f)
    }
}

impl Proof {
    fn row(&self, f: &mut fmt::Formatter<'_>, invariant: Invariant) -> fmt::Result {
        let may_break = self.may_break.contains(&invariant);
        match (self.broken.get(&invariant), may_break) {
            (None, false) => writeln!(f, "  {} {invariant}", paint(GOOD, '✓')),
            (None, true) if self.is_part() => Ok(()),
            (None, true) => {
                writeln!(f, "  {} {invariant}: it holds, and its design says that it does not", paint(BAD, '✗'))
            }
            (Some(times), true) => {
                let times = counted(*times);
                writeln!(f, "  {} broken, as its design says: {invariant} ({times})", paint(NOTICE, '!'))
            }
            (Some(times), false) => {
                writeln!(f, "  {} broken: {invariant} ({})", paint(BAD, '✗'), counted(*times))
            }
        }
    }

    fn limits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unexplored > 0 {
            let more = self.unexplored;
            writeln!(f, "  {} The time was over: {more} schedules or more were not played.", paint(NOTICE, '!'))?;
        }
        let some = self.diverged.iter().take(3);
        some.clone().try_for_each(|it| writeln!(f, "  {} Not as before: {it}", paint(NOTICE, '!')))?;
        let more = self.diverged.len().saturating_sub(3);
        if more > 0 {
            writeln!(f, "  {} and {more} more of the kind", paint(NOTICE, '!'))?;
        }
        Ok(())
    }
}

fn counted(times: usize) -> String {
    if times == 1 { "1 schedule".to_owned() } else { format!("{times} schedules") }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.variants.iter().try_for_each(|proof| write!(f, "{proof}"))?;
        let depth = self.variants.iter().map(|proof| proof.bounds.depth).max().unwrap_or(1);
        if self.variants.iter().any(|proof| proof.is_part() || proof.kills == 0) {
            return Ok(());
        }
        writeln!(
            f,
            "Exhaustive up to depth {depth} at the boundary of AWS calls; no more than that. Tasks die by SIGKILL only. What \
             a worker keeps in local files, and requests whose order depends on chance, are not looked at."
        )
    }
}
