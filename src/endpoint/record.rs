//! The state directory's files, and the record of the running endpoint.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::num::NonZeroU32;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Start of the names under which records are written before they get their own.
const UNFINISHED: &str = ".local.json.";

/// For files of the state directory that are opened by their names: a link that somebody has put there leads to a file of
/// ours elsewhere.
pub(super) const NO_FOLLOW: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// How long resources and tasks take in the endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Latency {
    /// No longer than this machine needs
    #[default]
    None,
    /// As long as on AWS, divided by the speed
    Aws,
}

/// The latency of an endpoint with its speed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// Whether things take time.
    #[serde(default)]
    pub(crate) latency: Latency,
    /// What AWS's times are divided by.
    #[serde(default = "real_time")]
    pub(crate) speed: f64,
}

fn real_time() -> f64 {
    1.0
}

impl Default for Pace {
    fn default() -> Self {
        Self { latency: Latency::None, speed: real_time() }
    }
}

/// How EventBridge delivers events in the endpoint, beyond what it has to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Deliveries {
    /// By how many seconds each event is late.
    pub(crate) delay: f64,
    /// By how many seconds more it may be late, so that events come in any order.
    pub(crate) shuffle: f64,
    /// Every how manyth is delivered twice.
    pub(crate) duplicate_every: Option<NonZeroU32>,
    /// What the order follows from, and which are delivered twice.
    pub(crate) seed: u64,
}

/// Where an endpoint listens, or last did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Process id; 0 while the process that is being started has not written its own record.
    pub(crate) pid: u32,
    /// Port on 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) endpoint: String,
    pub(crate) started_at: DateTime<Utc>,
    /// Version of the program that serves it.
    pub(crate) version: String,
    /// Started by a command that needed it, not by `local start`: `down` ends it when nothing is left in it.
    pub(crate) automatic: bool,
    /// How long things take in it.
    #[serde(flatten)]
    pub(crate) pace: Pace,
    /// How events are delivered in it.
    #[serde(default)]
    pub(crate) deliveries: Deliveries,
    /// What an image may take on the disk, in MiB.
    #[serde(default)]
    pub(crate) max_image_size: Option<u64>,
    /// It answers; before that, it takes up what an earlier one left unfinished.
    pub(crate) ready: bool,
}

/// The state directory.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    /// The directory `path`, which need not exist yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The endpoint's own state: what `local_aws::serve` works in.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.0.join("local")
    }

    /// The record of the endpoint.
    pub(crate) fn record_file(&self) -> PathBuf {
        self.0.join("local.json")
    }

    /// What the endpoint prints.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.0.join("local.log")
    }

    /// Locked by the endpoint as long as it lives.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.0.join("local.lock")
    }

    /// Locked by a command while it starts the endpoint.
    pub(crate) fn start_lock_file(&self) -> PathBuf {
        self.0.join("local.start.lock")
    }

    /// Locked, shared, by every command that talks to the endpoint.
    pub(crate) fn use_lock_file(&self) -> PathBuf {
        self.0.join("local.use.lock")
    }

    /// Whether there is any state of an endpoint, running or not.
    pub(crate) fn has_state(&self) -> bool {
        self.data_dir().join("state.db").exists()
    }

    /// Creates what does not exist yet, for the owner only.
    pub(crate) fn create(&self) -> Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.data_dir()).map_err(|error| {
            Error::failed(format!("The state directory {} cannot be written.", self.0.display()))
                .cause(error)
                .hint("Name another one with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`.")
        })
    }

    /// The record, if there is one.
    pub(crate) fn record(&self) -> Result<Option<Record>> {
        let path = self.record_file();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                let lock = self.lock_file();
                Error::failed(format!("{} is damaged; it was left as it is.", path.display())).cause(error).hint(format!(
                    "End the endpoint by hand (`lsof {}` names it); the next command starts a new one on the same state.",
                    lock.display()
                ))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::failed(format!("{} cannot be read.", path.display())).cause(error)),
        }
    }

    /// The record of the endpoint that runs and answers, if one does.
    pub(crate) fn running(&self) -> Result<Option<Record>> {
        if !self.is_locked()? {
            return Ok(None);
        }
        Ok(self.record()?.filter(|record| record.ready))
    }

    /// Whether an endpoint lives (it may not answer yet, or be about to end).
    ///
    /// # Errors
    /// When the lock cannot be asked for.
    pub(crate) fn is_locked(&self) -> Result<bool> {
        let path = self.lock_file();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unusable(&path, error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(unusable(&path, error)),
        }
    }

    /// Opens `path` to lock it.
    pub(super) fn open_lock(path: &Path) -> Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(NO_FOLLOW)
            .open(path)
            .map_err(|error| unusable(path, error))
    }

    /// Takes back what the record says of an endpoint that was killed, all but its port and its pace: the next one holds the lock a
    /// moment before it has written its own record, and in that moment the old one would pass for it. A damaged record
    /// is removed: what was in it is worth nothing once its endpoint is gone. Gives whether it was damaged.
    pub(super) fn retire_record(&self) -> Result<bool> {
        let lock = Self::open_lock(&self.lock_file())?;
        // Shared, so that nobody takes us for an endpoint, and none can start as long as we have it.
        if lock.try_lock_shared().is_err() {
            return Ok(false);
        }
        match self.record() {
            Ok(None) => Ok(false),
            Ok(Some(record)) => self.write_record(&Record { pid: 0, ready: false, ..record }).map(|()| false),
            Err(_) => std::fs::remove_file(self.record_file())
                .map(|()| true)
                .map_err(|error| unusable(&self.record_file(), error)),
        }
    }

    /// What processes left that were killed while they wrote the record.
    pub(super) fn unfinished_records(&self) -> std::io::Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let is_unfinished = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(UNFINISHED);
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        Ok(paths.into_iter().filter(|path| path.file_name().is_some_and(is_unfinished)).collect())
    }

    /// Writes the record; a reader sees the old one or the new one, never a part.
    pub(super) fn write_record(&self, record: &Record) -> Result<()> {
        let path = self.record_file();
        let temporary = self.0.join(format!("{UNFINISHED}{}", std::process::id()));
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&serde_json::to_vec(record)?)?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(|error| unusable(&path, error))
    }
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    let room = if error.kind() == std::io::ErrorKind::StorageFull { "Make room on the disk, or name" } else { "Name" };
    Error::failed(format!("{} cannot be used.", path.display()))
        .cause(error)
        .hint(format!("{room} another state directory with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            pid: 1,
            port: 4566,
            endpoint: "http://127.0.0.1:4566".into(),
            started_at: Utc::now(),
            version: "0".into(),
            automatic: false,
            pace: Pace::default(),
            deliveries: Deliveries::default(),
            max_image_size: None,
            ready: true,
        }
    }

    #[test]
    fn a_record_without_a_living_owner_of_the_lock_is_not_running() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        state.write_record(&record()).unwrap();
        assert_eq!(state.running().unwrap(), None);
        let lock = StateDir::open_lock(&state.lock_file()).unwrap();
        lock.try_lock().unwrap();
        assert_eq!(state.running().unwrap().map(|r| r.port), Some(4566));
        drop(lock);
        assert_eq!(state.running().unwrap(), None);
    }

    #[test]
    fn the_record_of_a_killed_endpoint_does_not_pass_for_that_of_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        state.write_record(&record()).unwrap();
        state.retire_record().unwrap();
        let lock = StateDir::open_lock(&state.lock_file()).unwrap();
        lock.try_lock().unwrap();
        assert_eq!(state.running().unwrap(), None);
        let retired = state.record().unwrap().unwrap();
        assert_eq!((retired.pid, retired.port), (0, 4566));
        state.write_record(&record()).unwrap();
        state.retire_record().unwrap();
        assert_eq!(state.running().unwrap(), Some(state.record().unwrap().unwrap()), "it lives");
    }

    #[test]
    fn a_damaged_record_is_reported_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        std::fs::write(state.record_file(), "{").unwrap();
        assert!(state.record().unwrap_err().report(crate::target::Target::Local).contains("by hand"));
        assert_eq!(std::fs::read_to_string(state.record_file()).unwrap(), "{");
    }
}
