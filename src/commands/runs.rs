use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueHint};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::context::Context;
use super::replay;
use crate::error::{Error, Result};
use crate::record::{Run, Runs};

/// List, show, export and delete the records of runs
///
/// Each `lab`, `run` (without `--detach`), `try` and `interrupt` leaves one in the state directory; the last fifty are kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop runs                        What there is
  fis-workshop runs show                   The latest run, all at once
  fis-workshop runs export --to lab.jsonl  Into a file that can be sent
  fis-workshop runs delete --all")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// What there is, the oldest first
    #[command(after_help = "Example:\n  fis-workshop runs list --output json")]
    List,
    /// What happened, all at once
    ///
    /// `fis-workshop replay` tells the same at the pace of then.
    #[command(after_help = "Example:\n  fis-workshop runs show 20261128-073031-487-lab")]
    Show {
        /// Name of the run, or file with its record [default: the latest run]
        #[arg(value_hint = ValueHint::FilePath)]
        run: Option<String>,
    },
    /// Copy a record into a file
    ///
    /// `fis-workshop replay FILE` and `fis-workshop report FILE` read it on any machine.
    #[command(after_help = "Example:\n  fis-workshop runs export 20261128-073031-487-lab --to seat-07.jsonl")]
    Export {
        /// Name of the run [default: the latest run]
        run: Option<String>,
        /// The file [default: RUN.jsonl in this directory]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        to: Option<PathBuf>,
    },
    /// Delete records and their reports
    #[command(after_help = "Example:\n  fis-workshop runs delete 20261128-073031-487-lab")]
    Delete {
        /// Names of the runs
        #[arg(required_unless_present = "all")]
        runs: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "runs")]
        all: bool,
    },
}

/// Does it.
///
/// # Errors
/// When there is no such run, or the state directory cannot be read or written.
pub(crate) async fn run(context: &Context, args: RunsArgs) -> Result<u8> {
    let runs = Runs::of(&context.settings.state_dir);
    match args.command.unwrap_or(RunsCommand::List) {
        RunsCommand::List => context.ui.result(&list(&runs)?)?,
        RunsCommand::Show { run } => {
            let run = runs.find(run.as_deref())?;
            replay::tell(context, run, f64::INFINITY).await?;
        }
        RunsCommand::Export { run, to } => context.ui.result(&export(&runs, run.as_deref(), to)?)?,
        RunsCommand::Delete { runs: names, all } => {
            let names = if all { runs.names()? } else { names };
            names.iter().try_for_each(|name| runs.delete(name))?;
            context.ui.result(&Deleted { deleted: names })?;
        }
    }
    Ok(0)
}

#[derive(Debug, Serialize)]
struct List {
    runs: Vec<Entry>,
}

/// A run in the list.
#[derive(Debug, Serialize)]
struct Entry {
    run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// All that was typed behind the program's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// `pass`, `fail`, or how it ended without a verdict.
    outcome: String,
}

fn list(runs: &Runs) -> Result<List> {
    Ok(List { runs: runs.names()?.into_iter().map(|run| entry(runs, run)).collect() })
}

/// One that cannot be read is listed, too: it can be deleted.
fn entry(runs: &Runs, name: String) -> Entry {
    match Run::read(&runs.file(&name)) {
        Ok(run) => Entry {
            run: name,
            started_at: Some(run.header.started_at),
            outcome: run.outcome().to_owned(),
            command: Some(run.header.args.join(" ")),
            target: Some(run.header.target),
        },
        Err(error) => Entry { run: name, started_at: None, target: None, command: None, outcome: error.to_string() },
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs.is_empty() {
            return writeln!(f, "No run was recorded yet; `fis-workshop lab` plays and records one.");
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["run", "target", "outcome", "command"]);
        for Entry { run, target, outcome, command, .. } in &self.runs {
            let (target, command) = (target.as_deref().unwrap_or("-"), command.as_deref().unwrap_or("-"));
            table.add_row([run, target, outcome, command]);
        }
        writeln!(f, "{table}")
    }
}

#[derive(Debug, Serialize)]
struct Exported {
    run: String,
    file: PathBuf,
}

fn export(runs: &Runs, run: Option<&str>, to: Option<PathBuf>) -> Result<Exported> {
    let run = runs.find(run)?.header.run;
    let file = to.unwrap_or_else(|| PathBuf::from(format!("{run}.jsonl")));
    std::fs::copy(runs.file(&run), &file)
        .map_err(|error| Error::failed(format!("{} cannot be written.", file.display())).cause(error))?;
    Ok(Exported { run, file })
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.file.display())
    }
}

#[derive(Debug, Serialize)]
struct Deleted {
    deleted: Vec<String>,
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.deleted.as_slice() {
            [] => writeln!(f, "There was nothing to delete."),
            names => names.iter().try_for_each(|name| writeln!(f, "Deleted {name}.")),
        }
    }
}
