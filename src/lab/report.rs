//! The lab's result: for people, and as JSON.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::evidence::Conditions;
use super::prediction::Prediction;
use super::verdict::Outcome;
use crate::aws::survivors::Survivor;
use crate::environment::Environment;
use crate::target::Target;
use crate::ui::{BAD, GOOD, paint};

/// What the lab is to find out. How much is done twice is measured.
pub(crate) const HYPOTHESIS: &str = "restarted, the job completes all items";

/// Whether everything held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The hypothesis and every invariant hold.
    Pass,
    /// Something does not.
    Fail,
}

/// The result of the lab.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) target: Target,
    /// In which environment.
    pub(crate) environment: Environment,
    /// Whether everything held.
    pub(crate) verdict: Verdict,
    #[serde(flatten)]
    pub(crate) conditions: Conditions,
    /// Variant by variant.
    pub(crate) variants: Vec<Outcome>,
    /// What was deleted at the end, because the lab had set it up.
    pub(crate) deleted_stacks: Vec<String>,
    pub(crate) survivors: Vec<Survivor>,
}

impl Report {
    /// Everything held.
    pub(crate) fn passed(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.comparison())?;
        for outcome in &self.variants {
            for check in outcome.checks.iter().filter(|check| !check.ok) {
                writeln!(f, "{} {}: {}.", paint(BAD, '✗'), outcome.variant, check.detail)?;
            }
        }
        let checks = self.variants.iter().map(|outcome| outcome.checks.len()).sum::<usize>();
        match self.verdict {
            Verdict::Pass => {
                writeln!(f, "{} The hypothesis holds: {HYPOTHESIS}. All {checks} checks passed.", paint(GOOD, '✓'))
            }
            Verdict::Fail => {
                writeln!(
                    f,
                    "{} The hypothesis ({HYPOTHESIS}), or an invariant behind it, does not hold.",
                    paint(BAD, '✗')
                )
            }
        }
    }
}

/// The row below what is measured.
const PREDICTED: &str = "  predicted";

/// One of the answers of its prediction.
fn said(outcome: &Outcome, answer: fn(Prediction) -> Option<String>) -> String {
    outcome.prediction.and_then(answer).unwrap_or_else(|| "-".to_owned())
}

/// The longest of several waits.
fn seconds(waits: &[f64]) -> String {
    waits.iter().copied().reduce(f64::max).map_or_else(|| "-".to_owned(), |longest| format!("{longest:.1} s"))
}

impl Report {
    fn comparison(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        let header = std::iter::once(String::new());
        table.set_header(header.chain(self.variants.iter().map(|outcome| outcome.variant.clone())));
        let index = |index: Option<u64>| index.map_or_else(|| "-".to_owned(), |index| index.to_string());
        let mut row = |name: &str, value: &dyn Fn(&Outcome) -> String| {
            // Rows of predictions that nobody has made say nothing.
            if name != PREDICTED || self.variants.iter().any(|outcome| outcome.prediction.is_some()) {
                let name = std::iter::once(name.to_owned());
                table.add_row(name.chain(self.variants.iter().map(value)));
            }
        };
        row("items in the table", &|outcome| format!("{} of {}", outcome.items, outcome.batch_size));
        row("interrupted at index", &|outcome| {
            let indexes: Vec<_> = outcome.interrupted_at_indexes.iter().copied().map(index).collect();
            if indexes.is_empty() { "-".to_owned() } else { indexes.join(", ") }
        });
        row("restarted", &|outcome| outcome.restart.to_string());
        row(PREDICTED, &|outcome| said(outcome, |it| it.restart.map(|restart| restart.to_string())));
        row("restarted after", &|outcome| seconds(&outcome.restart_seconds));
        row("resumed at index", &|outcome| index(outcome.resumed_at_index));
        row(PREDICTED, &|outcome| said(outcome, |it| it.resumed_at_index.map(|index| index.to_string())));
        row("items done twice", &|outcome| outcome.items_redone.to_string());
        row(PREDICTED, &|outcome| said(outcome, |it| it.items_redone.map(|items| items.to_string())));
        row("time wasted", &|outcome| format!("{:.1} s", outcome.wasted_seconds));
        row("speed-up by sharing", &|outcome| {
            outcome.speed_up.map_or_else(|| "-".to_owned(), |it| format!("{it:.1} x"))
        });
        let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
        row("completes", &|outcome| yes_or_no(outcome.complete));
        row("nothing done twice", &|outcome| yes_or_no(outcome.items_redone == 0));
        row("checks passed", &|outcome| {
            let passed = outcome.checks.iter().filter(|check| check.ok).count();
            format!("{passed} of {}", outcome.checks.len())
        });
        table
    }
}
