use std::fmt;
use std::time::Duration;

use clap::{Args, ValueHint};
use serde::Serialize;

use super::context::Context;
use crate::error::{Error, Result};
use crate::record::{Difference, Event, Header, Run, Runs, differences, turns, words};
use crate::ui::{FAINT, paint};

/// Play a run again, from its record
///
/// Needs no endpoint and no network: what happened is told line by line, as fast as it happened or faster. With `--diff`, says
/// in words where two runs differ: a run on this machine and one on AWS, or two variants of one run (RUN:VARIANT).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop replay --speed 10                     The latest run
  fis-workshop replay seat-07.jsonl                  One that somebody has sent
  fis-workshop replay --diff :original :improved     Variants of the latest run
  fis-workshop replay --diff here.jsonl aws.jsonl")]
pub(crate) struct ReplayArgs {
    /// Name of the run, or file with its record [default: the latest run]
    #[arg(value_hint = ValueHint::FilePath)]
    run: Option<String>,
    /// How many times as fast as it was
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = speed, allow_negative_numbers = true)]
    speed: f64,
    /// Say where two runs differ instead; each a run or file, with :VARIANT for one variant of it
    #[arg(long, num_args = 2, value_names = ["RUN", "RUN"], conflicts_with_all = ["run", "speed"], value_hint = ValueHint::FilePath)]
    diff: Option<Vec<String>>,
}

/// Two runs, compared.
#[derive(Debug, Serialize)]
struct Compared {
    runs: [String; 2],
    differences: Vec<Difference>,
    /// What is the same in both.
    same: Vec<String>,
}

/// The record as one document.
#[derive(Debug, Serialize)]
struct Told<'a> {
    header: &'a Header,
    events: &'a [Event],
}

/// Plays it.
///
/// # Errors
/// When there is no such run, or its record cannot be read.
pub(crate) async fn run(context: &Context, args: ReplayArgs) -> Result<u8> {
    let runs = Runs::of(&context.settings.state_dir);
    if let Some([a, b]) = args.diff.as_deref() {
        let compared = compare(&runs, a, b)?;
        context.ui.result(&compared)?;
        return Ok(0);
    }
    tell(context, runs.find(args.run.as_deref())?, args.speed).await?;
    Ok(0)
}

/// Line by line, so many times as fast as it was; for machines all at once.
pub(super) async fn tell(context: &Context, mut run: Run, speed: f64) -> Result<()> {
    if run.torn {
        context.ui.warn("The last line of the record is not whole, and was left out.");
    }
    run.events.sort_by_key(|event| event.at);
    if context.ui.is_json() {
        return context.ui.json(&Told { header: &run.header, events: &run.events });
    }
    let begin = tokio::time::Instant::now();
    for event in &run.events {
        let Some(words) = words(event) else { continue };
        let since = (event.at - run.header.started_at).to_std().unwrap_or_default();
        tokio::time::sleep_until(begin + since.div_f64(speed)).await;
        context.ui.data(&line(since, event.variant.as_deref().unwrap_or_default(), &words))?;
    }
    Ok(())
}

fn line(since: Duration, variant: &str, words: &str) -> String {
    format!("{} {variant:<9} {words}", paint(FAINT, format_args!("{:>8.2} s", since.as_secs_f64())))
}

/// A run, and the variant of it that is meant; of a run with one variant, that one.
fn named(runs: &Runs, name: &str) -> Result<(String, Vec<Event>)> {
    let (run, variant) = name.rsplit_once(':').map_or((name, None), |(run, variant)| (run, Some(variant)));
    let run = runs.find(Some(run).filter(|run| !run.is_empty()))?;
    let variants: Vec<_> = turns(&run.events).into_iter().map(|(variant, _)| variant).collect();
    let variant = match (variant, variants.as_slice()) {
        (Some(variant), known) if known.contains(&variant) => Some(variant.to_owned()),
        (Some(variant), known) => {
            return Err(Error::failed(format!("The run {} has no variant {variant}.", run.header.run))
                .hint(format!("It has {}.", known.join(", "))));
        }
        (None, _) => None,
    };
    let is_meant = |event: &Event| variant.is_none() || event.variant == variant;
    let label = variant.as_ref().map_or_else(|| run.header.run.clone(), |it| format!("{}:{it}", run.header.run));
    Ok((label, run.events.iter().filter(|event| is_meant(event)).cloned().collect()))
}

fn compare(runs: &Runs, a: &str, b: &str) -> Result<Compared> {
    let ((first, of_first), (second, of_second)) = (named(runs, a)?, named(runs, b)?);
    let (differences, same) = differences(&of_first, &of_second);
    Ok(Compared { runs: [first, second], differences, same })
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A  {}\nB  {}", self.runs[0], self.runs[1])?;
        for Difference { variants, what, values } in &self.differences {
            writeln!(f, "\n{variants}: {what}\n  A  {}\n  B  {}", values[0], values[1])?;
        }
        let same = self.same.join(", ");
        match self.differences.len() {
            0 => writeln!(f, "\nNothing differs. Compared: {same}."),
            _ if same.is_empty() => writeln!(f, "\nNothing is the same."),
            _ => writeln!(f, "\nThe same in both: {same}."),
        }
    }
}

fn speed(text: &str) -> std::result::Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| (0.01..=1_000_000.0).contains(speed));
    speed.ok_or_else(|| "a number from 0.01 to 1000000, such as 10".to_owned())
}
