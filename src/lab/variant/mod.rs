//! The designs of the batch job that the chapter compares, a file for each.
//!
//! A program is what runs; a design says which program, how many tasks of it, who restarts it, and what is expected when
//! it is interrupted.

mod improved;
mod original;
pub(crate) mod own;
mod queue;
mod watchdog;

use std::borrow::Cow;
use std::fmt;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::checks::Check;
use super::evidence::Expected;
use super::invariant::Invariant;
use crate::aws::program::Program;

/// The designs by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Original,
    Improved,
    Watchdog,
    Queue,
}

impl Variant {
    /// All of them, in the order of the chapter.
    pub(crate) const ALL: &[Self] = &[Self::Original, Self::Improved, Self::Watchdog, Self::Queue];

    /// The only place that tells one from another.
    pub(crate) fn design(self) -> &'static Design {
        match self {
            Self::Original => &original::DESIGN,
            Self::Improved => &improved::DESIGN,
            Self::Watchdog => &watchdog::DESIGN,
            Self::Queue => &queue::DESIGN,
        }
    }

    /// The design that runs this program.
    pub(crate) fn of(program: Program) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.design().program == program)
    }

    /// What there is to know of the design of this name, in one line.
    pub(crate) fn says(name: &str) -> &'static str {
        let ours = Self::ALL.iter().map(|variant| variant.design()).find(|design| design.name == name);
        ours.map_or_else(|| own::design(name.to_owned()).says, |design| design.says)
    }

    /// How many tasks work at a time at most, in one environment.
    pub(crate) fn most_tasks() -> u32 {
        Self::ALL.iter().map(|variant| variant.design().tasks).max().unwrap_or_default()
    }
}

/// How a batch is worked through, interrupted and completed.
#[derive(Debug, Clone)]
pub(crate) struct Design {
    pub(crate) name: Cow<'static, str>,
    /// What there is to know of it, in one line.
    pub(crate) says: &'static str,
    pub(crate) program: Program,
    /// How many tasks work on the batch at a time.
    pub(crate) tasks: u32,
    pub(crate) restart: Restart,
    /// What an interruption should come to when the items below `next` were written.
    pub(crate) expected: fn(next: u64) -> Expected,
    /// What must hold besides what holds for every design.
    pub(crate) checks: &'static [Check],
    /// What it does not hold when it is killed at the wrong moment, see `prove`.
    pub(crate) breaks: &'static [Invariant],
}

/// Who starts the job again; it is played accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// Whoever has started it the first time.
    ByHand,
    /// A function that watches it.
    ByWatchdog,
    /// Nobody, as long as one of its tasks is left: the others go on.
    NotNeeded,
}

impl Restart {
    const ALL: [Self; 3] = [Self::ByHand, Self::ByWatchdog, Self::NotNeeded];
}

/// In the table of the report, and in its JSON.
impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByHand => "by hand",
            Self::ByWatchdog => "by a function",
            Self::NotNeeded => "others go on",
        })
    }
}

impl Serialize for Restart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From a record.
impl<'de> Deserialize<'de> for Restart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|restart| restart.to_string() == text);
        found.ok_or_else(|| D::Error::custom(format_args!("`{text}` restarts nothing")))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.design().name)
    }
}

impl ValueEnum for Variant {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let Design { name, says, .. } = self.design();
        Some(PossibleValue::new(&**name).help(*says))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_variant_has_a_name_of_its_own_and_every_program_a_variant() {
        let names: BTreeSet<_> = Variant::ALL.iter().map(|variant| &variant.design().name).collect();
        assert_eq!(names.len(), Variant::ALL.len());
        let programs: BTreeSet<_> = Variant::ALL.iter().map(|variant| variant.design().program).collect();
        assert_eq!(programs, Program::OURS.iter().copied().collect());
        // The command line takes them by these names, and says what they are.
        for variant in Variant::ALL {
            assert_eq!(Variant::from_str(&variant.to_string(), false), Ok(*variant));
            assert!(!variant.design().says.is_empty());
        }
    }

    #[test]
    fn a_design_runs_something() {
        assert!(Variant::ALL.iter().all(|variant| variant.design().tasks > 0));
        assert!(Variant::most_tasks() >= 1);
    }
}
