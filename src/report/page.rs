//! The page.

use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::clock::Clock;
use super::curves::curves;
use super::picture::{self, picture};
use super::timeline::{Task, Turn, turns};
use crate::error::{Error, Result};
use crate::lab::report::{HYPOTHESIS, Report, Row};
use crate::lab::variant::Variant;
use crate::lab::verdict::Outcome;
use crate::record::{Header, Run, What};

/// Nothing is loaded, and nothing runs: whatever a worker has printed, it stays text.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The command that comes to a verdict.
const LAB: &str = "lab";

/// The whole page.
///
/// # Errors
/// When the run's result is none of a lab.
pub(super) fn page(run: &Run) -> Result<String> {
    // Other commands have no verdict.
    let result = run.result().filter(|_| run.header.command == LAB);
    let report = result.map(|result| serde_json::from_value::<Report>(result.clone())).transpose();
    let report = report.map_err(|error| {
        Error::failed(format!("The result of the run {} cannot be shown.", run.header.run)).cause(error)
    })?;
    let turns = turns(&run.events);
    let clock = Clock::of(&turns);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                link rel="icon" href="data:,";
                title { (title(run, report.as_ref())) " · fis-workshop" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                (picture::shapes())
                (head(run, report.as_ref()))
                main {
                    @if let Some(report) = &report { (comparison(report)) }
                    (curves(&turns, clock))
                    (timelines(&turns, report.as_ref(), clock))
                }
                (foot(&run.header))
            }
        }
    };
    Ok(page.into_string())
}

fn title(run: &Run, report: Option<&Report>) -> &'static str {
    match report {
        None if run.header.command != LAB => "What happened",
        Some(report) if report.passed() => "The hypothesis holds",
        Some(_) => "The hypothesis does not hold",
        None => "The run did not come to a result",
    }
}

fn head(run: &Run, report: Option<&Report>) -> Markup {
    let Header { command, target, started_at, .. } = &run.header;
    let place = if target == "local" { "on the local endpoint" } else { "on AWS" };
    let is_bad = command == LAB && !report.is_some_and(Report::passed);
    html! {
        header {
            p.eyebrow { (command) " " (place) ", " time datetime=(started_at.to_rfc3339()) { (date(*started_at)) } }
            h1 class=[is_bad.then_some("bad")] { (title(run, report)) }
            p.lead { (lead(run, report)) }
        }
    }
}

fn date(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// What the heading means.
fn lead(run: &Run, report: Option<&Report>) -> String {
    let failure = run.events.iter().rev().find_map(|event| match &event.what {
        What::Failed { error } => Some(error.clone()),
        _ => None,
    });
    match report {
        Some(report) if report.passed() => format!("Hypothesis: {HYPOTHESIS}. All {} checks passed.", report.checks()),
        Some(report) => {
            let failed = report.variants.iter().flat_map(|it| &it.checks).filter(|check| !check.ok).count();
            format!("Hypothesis: {HYPOTHESIS}. {failed} of {} checks failed.", report.checks())
        }
        None if run.result().is_some() => format!("fis-workshop {}", run.header.args.join(" ")),
        None => failure.unwrap_or_else(|| "It was interrupted; here is what had happened until then.".to_owned()),
    }
}

fn comparison(report: &Report) -> Markup {
    html! {
        section aria-labelledby="comparison" {
            h2 #comparison { "Side by side" }
            // It may be wider than a phone: then it is moved by itself, by keys, too.
            div.wide tabindex="0" role="region" aria-label="Table of the variants" {
                table {
                    thead {
                        tr { td {} @for outcome in &report.variants { th scope="col" { (outcome.variant) } } }
                    }
                    tbody { @for row in report.comparison() { (compared(&row)) } }
                }
            }
        }
    }
}

fn compared(row: &Row) -> Markup {
    html! {
        tr class=[row.is_prediction.then_some("prediction")] {
            th scope="row" { (row.name) }
            @for cell in &row.cells { td { (cell) } }
        }
    }
}

fn timelines(turns: &[Turn], report: Option<&Report>, clock: Clock) -> Markup {
    html! {
        section aria-labelledby="timelines" {
            h2 #timelines { "What happened" }
            (legend())
            @for (number, turn) in (1..).zip(turns) {
                @let outcome = report.and_then(|report| report.variants.iter().find(|it| it.variant == turn.variant));
                (variant(turn, number, outcome, clock))
            }
        }
    }
}

fn legend() -> Markup {
    let key = |class: &str, words: &str| html! { li { span class=(class) {} (words) } };
    html! {
        ul.legend aria-label="Signs" {
            (key("key waiting", "task starts or stops"))
            (key("key running", "task runs"))
            (key("key tick", "item written"))
            (key("key again", "item done again"))
            (key("key fault", "experiment"))
        }
    }
}

fn variant(turn: &Turn, number: usize, outcome: Option<&Outcome>, clock: Clock) -> Markup {
    let (name, id) = (&turn.variant, format!("variant-{number}"));
    html! {
        article aria-labelledby=(id) {
            h3 id=(id) { (name) @if let Some(outcome) = outcome { (mark(outcome.holds())) } }
            p.says { (Variant::says(name)) "." }
            (picture(turn, clock, &in_words(turn)))
            @if let Some(outcome) = outcome { (checks(outcome)) }
        }
    }
}

fn mark(good: bool) -> Markup {
    html! { span.mark .bad[!good] { (if good { "✓ holds" } else { "✗ does not hold" }) } }
}

/// The picture for who cannot see it.
fn in_words(turn: &Turn) -> String {
    let task = |(number, task): (usize, &Task)| {
        let again = task.writes.iter().filter(|write| write.again).count();
        let first = task.writes.iter().map(|write| write.index).min();
        let first = first.map_or_else(String::new, |index| format!(" from index {index}"));
        let words = picture::words(turn, task, number);
        format!("{words}; {} items written{first}, {again} of them again.", task.writes.len())
    };
    let tasks: Vec<_> = (1..).zip(&turn.tasks).map(task).collect();
    format!("Timeline of {}: {:.1} seconds. {}", turn.variant, turn.end, tasks.join(" "))
}

/// Each invariant, with what was seen. What failed needs no click.
fn checks(outcome: &Outcome) -> Markup {
    let passed = outcome.checks.iter().filter(|check| check.ok).count();
    html! {
        details open[passed < outcome.checks.len()] {
            summary { (passed) " of " (outcome.checks.len()) " checks passed" }
            ul.checks {
                @for check in &outcome.checks {
                    li class=[(!check.ok).then_some("bad")] {
                        b { (if check.ok { "✓ " } else { "✗ " }) (check.name.replace('_', " ")) }
                        " " (check.detail) "."
                    }
                }
            }
        }
    }
}

fn foot(header: &Header) -> Markup {
    let args: Vec<_> = header.args.iter().map(|arg| shlex::try_quote(arg).unwrap_or(arg.into())).collect();
    html! {
        footer {
            p { "Play it again: " code { "fis-workshop " (args.join(" ")) } }
            p { "Run " (header.run) ", fis-workshop " (header.version) ". Times are those that ECS, FIS and the workers tell." }
        }
    }
}
