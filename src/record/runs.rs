//! The records in the state directory: a folder for each run, with its record and the report made of it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Recorder;
use super::event::{Event, Header, SCHEMA};
use crate::error::{Error, Result};
use crate::target::Target;

/// How many runs are kept: with some megabytes at most, nobody has to think of them.
const KEPT: usize = 50;

/// The runs of a state directory.
#[derive(Debug, Clone)]
pub(crate) struct Runs(PathBuf);

/// A run, as its record tells it.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) header: Header,
    pub(crate) events: Vec<Event>,
    /// The last line is not whole: the run was killed while it wrote it, or the disk was full. It was left out.
    pub(crate) torn: bool,
}

impl Runs {
    /// Those of this state directory.
    pub(crate) fn of(state_dir: &Path) -> Self {
        Self(state_dir.join("runs"))
    }

    /// The folder of a run.
    pub(crate) fn folder(&self, run: &str) -> PathBuf {
        self.0.join(run)
    }

    /// Its record.
    pub(crate) fn file(&self, run: &str) -> PathBuf {
        self.folder(run).join("record.jsonl")
    }

    /// Begins the record of a run of `command`; the oldest go when there are more than [`KEPT`].
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub(crate) fn begin(&self, command: &str, target: Target) -> Result<Recorder> {
        let failed = |error: std::io::Error| {
            Error::failed(format!("The run cannot be recorded in {}.", self.0.display()))
                .cause(error)
                .hint("Name another state directory with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`.")
        };
        self.forget_oldest(KEPT - 1).map_err(failed)?;
        let (run, started_at) = self.new_folder(command).map_err(failed)?;
        let path = self.file(&run);
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        let header = Header {
            schema: SCHEMA,
            run: run.clone(),
            command: command.to_owned(),
            args: std::env::args().skip(1).collect(),
            target: if target == Target::Local { "local" } else { "aws" }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
        };
        Ok(Recorder::to(path, file, &header))
    }

    /// Its name, and the moment that the name is made of: one that another run has is left to it.
    fn new_folder(&self, command: &str) -> std::io::Result<(String, DateTime<Utc>)> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let mut now = Utc::now();
        loop {
            let run = format!("{}-{command}", now.format("%Y%m%d-%H%M%S-%3f"));
            match DirBuilder::new().mode(0o700).create(self.folder(&run)) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => now += Duration::from_millis(1),
                made => return made.map(|()| (run, now)),
            }
        }
    }

    /// Names of all runs, oldest first: they begin with their time.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let failed = |error| Error::failed(format!("The runs in {} cannot be read.", self.0.display())).cause(error);
        self.entries().map_err(failed)
    }

    /// Deletes a run's record, and its report.
    ///
    /// # Errors
    /// When there is no run of this name, or it cannot be deleted.
    pub(crate) fn delete(&self, run: &str) -> Result<()> {
        if !self.names()?.iter().any(|name| name == run) {
            return Err(Error::failed(format!("There is no run {run}.")).hint("`fis-workshop runs` lists them."));
        }
        std::fs::remove_dir_all(self.folder(run))
            .map_err(|error| Error::failed(format!("The run {run} cannot be deleted.")).cause(error))
    }

    fn entries(&self) -> std::io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let name = |entry: std::io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<std::io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn forget_oldest(&self, kept: usize) -> std::io::Result<()> {
        let names = self.entries()?;
        for name in &names[..names.len().saturating_sub(kept)] {
            match std::fs::remove_dir_all(self.folder(name)) {
                // Another command has just done the same.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The run of this name, or in the file at this path; the latest one if none is named.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(crate) fn find(&self, wanted: Option<&str>) -> Result<Run> {
        let names = self.names()?;
        // One that was killed before its first line is none.
        let has_begun = |name: &&String| self.file(name).metadata().is_ok_and(|file| file.len() > 0);
        let latest = names.iter().rev().find(has_begun).map(String::as_str);
        let Some(wanted) = wanted.or(latest) else {
            return Err(Error::failed("No run was recorded yet.").hint("`fis-workshop lab` plays and records one."));
        };
        if names.iter().any(|name| name == wanted) {
            return Run::read(&self.file(wanted));
        }
        let path = Path::new(wanted);
        if !path.is_file() {
            let known = latest.map_or_else(String::new, |latest| format!(" The latest one is {latest}."));
            return Err(Error::failed(format!("There is no run {wanted}, nor a file of that name."))
                .hint(format!("The runs are in {}.{known}", self.0.display())));
        }
        Run::read(path)
    }
}

impl Run {
    /// Reads a record.
    ///
    /// # Errors
    /// When the file cannot be read, is no record, or one of a later version.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let unreadable = || Error::failed(format!("{} cannot be read.", path.display()));
        let bytes = std::fs::read(path).map_err(|error| unreadable().cause(error))?;
        let text = String::from_utf8_lossy(&bytes);
        let (whole, rest) = text.rsplit_once('\n').unwrap_or_default();
        let mut lines = whole.lines();
        let first = lines.next().unwrap_or_default();
        let is_none = || Error::failed(format!("{} is no record of a run.", path.display()));
        let Version { schema } = serde_json::from_str(first).map_err(|error| is_none().cause(error))?;
        if schema != SCHEMA {
            return Err(Error::failed(format!("{} has version {schema} of the record.", path.display()))
                .cause(format_args!("this program reads version {SCHEMA}"))
                .hint("Read it with the program that has written it, or a later one."));
        }
        let header = serde_json::from_str(first).map_err(|error| is_none().cause(error))?;
        let event = |(number, line): (usize, &str)| {
            let is_none = || Error::failed(format!("Line {} of {} is no event.", number + 2, path.display()));
            serde_json::from_str(line).map_err(|error| is_none().cause(error))
        };
        let events = lines.enumerate().map(event).collect::<Result<_>>()?;
        Ok(Self { header, events, torn: !rest.is_empty() })
    }

    /// `pass`, `fail`, or how it ended without a verdict.
    pub(crate) fn outcome(&self) -> &str {
        match (self.result(), self.events.last().map(|event| &event.what)) {
            (Some(result), _) => result["verdict"].as_str().unwrap_or("ended"),
            (None, Some(super::What::Failed { .. })) => "failed",
            (None, _) => "did not end",
        }
    }

    /// The result, if the command has come to one.
    pub(crate) fn result(&self) -> Option<&serde_json::Value> {
        self.events.iter().rev().find_map(|event| match &event.what {
            super::What::Result { result } => Some(result),
            _ => None,
        })
    }
}

/// What every version begins with.
#[derive(Debug, serde::Deserialize)]
struct Version {
    schema: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::What;

    fn sent(messages: usize) -> What {
        What::Sent { messages }
    }

    #[test]
    fn a_record_that_ends_anywhere_is_read_as_far_as_its_lines_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let runs = Runs::of(dir.path());
        let record = runs.begin("lab", Target::Local).unwrap();
        (1..=3).for_each(|messages| record.now(sent(messages)));
        let bytes = std::fs::read(record.end().unwrap().unwrap()).unwrap();
        let whole: Vec<_> = (1..=bytes.len()).filter(|end| bytes[end - 1] == b'\n').collect();
        assert_eq!(whole.len(), 4);
        let cut = dir.path().join("cut");
        for end in whole[0]..=bytes.len() {
            std::fs::write(&cut, &bytes[..end]).unwrap();
            let run = Run::read(&cut).unwrap();
            let lines = whole.iter().filter(|line| **line <= end).count();
            assert_eq!((run.events.len(), run.torn), (lines - 1, !whole.contains(&end)), "{end}");
            assert!((1..).zip(&run.events).all(|(messages, event)| event.what == sent(messages)));
        }
    }

    #[test]
    fn the_oldest_runs_go_and_those_of_one_moment_have_names_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let runs = Runs::of(dir.path());
        let begin = |_| runs.begin("lab", Target::Aws).unwrap().end().unwrap().unwrap();
        let name = |record: PathBuf| record.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let names: Vec<_> = (0..KEPT + 5).map(begin).map(name).collect();
        let left = runs.names().unwrap();
        assert_eq!(left.len(), KEPT);
        assert_eq!(runs.find(None).unwrap().header.run, *names.last().unwrap());
        assert!(!left.contains(&names[0]));
    }

    #[test]
    fn a_line_in_the_middle_that_is_no_event_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let runs = Runs::of(dir.path());
        let record = runs.begin("lab", Target::Local).unwrap();
        record.now(sent(1));
        let path = record.end().unwrap().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"sent\"", "\"lost\"")).unwrap();
        assert!(runs.find(path.to_str()).unwrap_err().to_string().starts_with("Line 2 of "));
    }
}
