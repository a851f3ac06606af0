use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde::Serialize;

use super::context::Context;
use crate::error::Result;
use crate::record::Runs;
use crate::report;

/// Make the page that shows a run
///
/// `lab` makes it at its end and says where it is. It is one file that loads nothing: it can be sent, printed, and read without
/// a network. A run that was interrupted has one, too, as far as it came.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop report             Of the latest run, beside its record
  fis-workshop report --to .      report.html in this directory")]
pub(crate) struct ReportArgs {
    /// Name of the run, or file with its record [default: the latest run]
    #[arg(value_hint = ValueHint::FilePath)]
    run: Option<String>,
    /// Write report.html into this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: Option<PathBuf>,
}

/// Where it is.
#[derive(Debug, Serialize)]
struct Written {
    run: String,
    report: PathBuf,
}

/// Makes the report.
///
/// # Errors
/// When there is no such run, its record cannot be read, or the page cannot be written.
pub(crate) fn run(context: &Context, args: ReportArgs) -> Result<u8> {
    let runs = Runs::of(&context.settings.state_dir);
    let run = runs.find(args.run.as_deref())?;
    if run.torn {
        context.ui.warn("The last line of the record is not whole, and was left out.");
    }
    let folder = args.to.unwrap_or_else(|| runs.folder(&run.header.run));
    let report = report::write(&run, &folder)?;
    context.ui.result(&Written { run: run.header.run, report })?;
    Ok(0)
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.report.display())
    }
}
