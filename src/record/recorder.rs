//! Writes a record while its run goes on: a line, one `write`. A kill between any two lines leaves whole lines; what the kernel
//! has taken is in the file even when this process is gone.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

use super::event::{Event, Source, What};
use crate::error::{Error, Result};

/// Takes what happens. What cannot be written does not end the run: [`Recorder::end`] says so.
#[derive(Debug)]
pub(crate) struct Recorder(Option<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    variant: Option<String>,
    /// What is in the file, for what is looked at again and again.
    known: HashSet<String>,
    /// Why nothing more is written.
    failure: Option<std::io::Error>,
}

impl Recorder {
    /// Nobody wants to know.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Into `file`, which is `path`.
    pub(super) fn to(path: PathBuf, file: File, header: &impl Serialize) -> Self {
        let mut open = Open { path, file, variant: None, known: HashSet::new(), failure: None };
        open.write(header);
        Self(Some(Mutex::new(open)))
    }

    /// It is this variant's turn.
    pub(crate) fn turn(&self, variant: &str, what: What) {
        if let Some(mut open) = self.open() {
            open.variant = Some(variant.to_owned());
        }
        self.now(what);
    }

    /// This program's own doing, now.
    pub(crate) fn now(&self, what: What) {
        self.note(Utc::now(), 0, Source::Lab, what);
    }

    /// The command ends with this failure.
    pub(crate) fn failed(&self, error: &Error) {
        self.now(What::Failed { error: error.to_string() });
    }

    /// Writes what happened.
    pub(super) fn note(&self, at: DateTime<Utc>, within_ms: u64, source: Source, what: What) {
        if let Some(mut open) = self.open() {
            let event = open.event(at, within_ms, source, what);
            open.write(&event);
        }
    }

    /// The same for what may have been seen before.
    pub(super) fn note_once(&self, at: DateTime<Utc>, within_ms: u64, source: Source, what: What) {
        if let Some(mut open) = self.open() {
            let event = open.event(at, within_ms, source, what);
            if open.known.insert(format!("{event:?}")) {
                open.write(&event);
            }
        }
    }

    /// Where all of it was written; `None` if nobody wants to know.
    ///
    /// # Errors
    /// When a line could not be written, and so all after it.
    pub(crate) fn end(&self) -> Result<Option<PathBuf>> {
        let Some(open) = self.open() else { return Ok(None) };
        match &open.failure {
            None => Ok(Some(open.path.clone())),
            Some(error) => Err(Error::failed(format!("The record {} is not complete.", open.path.display()))
                .cause(error)
                .hint("Make room on the disk, or name another state directory with `--state-dir`.")),
        }
    }

    /// A line is whole whatever happened to the one who had the lock.
    fn open(&self) -> Option<MutexGuard<'_, Open>> {
        self.0.as_ref().map(|open| open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Open {
    fn event(&self, at: DateTime<Utc>, within_ms: u64, source: Source, what: What) -> Event {
        Event { at: at.trunc_subsecs(3), within_ms, source, variant: self.variant.clone(), what }
    }

    /// After a line that is not whole, no other one may follow.
    fn write(&mut self, line: &impl Serialize) {
        if self.failure.is_some() {
            return;
        }
        let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut bytes| {
            bytes.push(b'\n');
            self.file.write_all(&bytes)
        });
        self.failure = written.err();
    }
}
