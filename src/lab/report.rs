//! The lab's result: for people, and as JSON.

use std::fmt;
use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The hypothesis and every invariant hold.
    Pass,
    /// Something does not.
    Fail,
}

/// The result of the lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// Read from a record, none: they are about the account, not about what was played.
    #[serde(skip_deserializing)]
    pub(crate) survivors: Vec<Survivor>,
    /// The page that shows it, once it is written; a record does not know where it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<PathBuf>,
}

impl Report {
    /// Everything held.
    pub(crate) fn passed(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

impl Report {
    /// How many checks there were, of all variants.
    pub(crate) fn checks(&self) -> usize {
        self.variants.iter().map(|outcome| outcome.checks.len()).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table())?;
        for outcome in &self.variants {
            for check in outcome.checks.iter().filter(|check| !check.ok) {
                writeln!(f, "{} {}: {}.", paint(BAD, '✗'), outcome.variant, check.detail)?;
            }
        }
        match self.verdict {
            Verdict::Pass => {
                let (good, checks) = (paint(GOOD, '✓'), self.checks());
                writeln!(f, "{good} The hypothesis holds: {HYPOTHESIS}. All {checks} checks passed.")?;
            }
            Verdict::Fail => {
                writeln!(
                    f,
                    "{} The hypothesis ({HYPOTHESIS}), or an invariant behind it, does not hold.",
                    paint(BAD, '✗')
                )?;
            }
        }
        self.report.iter().try_for_each(|page| writeln!(f, "Report: {}", page.display()))
    }
}

/// A row of the comparison: what is compared, and a cell for each variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) cells: Vec<String>,
    /// It was said beforehand of what is measured in the row above.
    pub(crate) is_prediction: bool,
}

/// What stands for a value that there is not.
const NONE: &str = "-";

/// The longest of several waits.
fn seconds(waits: &[f64]) -> String {
    waits.iter().copied().reduce(f64::max).map_or_else(|| NONE.to_owned(), |longest| format!("{longest:.1} s"))
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn interrupted_at(outcome: &Outcome) -> String {
    let indexes: Vec<_> = outcome.interrupted_at_indexes.iter().copied().map(text).collect();
    if indexes.is_empty() { NONE.to_owned() } else { indexes.join(", ") }
}

fn passed(outcome: &Outcome) -> String {
    format!("{} of {}", outcome.checks.iter().filter(|check| check.ok).count(), outcome.checks.len())
}

impl Report {
    /// The comparison, for the terminal and for the page. Rows of predictions that nobody has made say nothing, and are
    /// left out.
    pub(crate) fn comparison(&self) -> Vec<Row> {
        let cells = |value: &dyn Fn(&Outcome) -> String| self.variants.iter().map(value).collect();
        let measured =
            |name, value: &dyn Fn(&Outcome) -> String| Row { name, cells: cells(value), is_prediction: false };
        let predicted = |value: &dyn Fn(Prediction) -> Option<String>| Row {
            name: "predicted",
            cells: cells(&|outcome| text(outcome.prediction.and_then(value))),
            is_prediction: true,
        };
        let rows = [
            measured("items in the table", &|outcome| format!("{} of {}", outcome.items, outcome.batch_size)),
            measured("interrupted at index", &interrupted_at),
            measured("restarted", &|outcome| outcome.restart.to_string()),
            predicted(&|said| said.restart.map(|restart| restart.to_string())),
            measured("restarted after", &|outcome| seconds(&outcome.restart_seconds)),
            measured("resumed at index", &|outcome| text(outcome.resumed_at_index)),
            predicted(&|said| said.resumed_at_index.map(|index| index.to_string())),
            measured("items done twice", &|outcome| outcome.items_redone.to_string()),
            predicted(&|said| said.items_redone.map(|items| items.to_string())),
            measured("time wasted", &|outcome| format!("{:.1} s", outcome.wasted_seconds)),
            measured("speed-up by sharing", &|outcome| text(outcome.speed_up.map(|times| format!("{times:.1} x")))),
            measured("completes", &|outcome| yes_or_no(outcome.complete)),
            measured("nothing done twice", &|outcome| yes_or_no(outcome.items_redone == 0)),
            measured("checks passed", &passed),
        ];
        let says_something = |row: &Row| !row.is_prediction || self.variants.iter().any(|it| it.prediction.is_some());
        rows.into_iter().filter(says_something).collect()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        let corner = std::iter::once(String::new());
        table.set_header(corner.chain(self.variants.iter().map(|outcome| outcome.variant.clone())));
        for Row { name, cells, is_prediction } in self.comparison() {
            let name = if is_prediction { format!("  {name}") } else { name.to_owned() };
            table.add_row(std::iter::once(name).chain(cells));
        }
        table
    }
}
