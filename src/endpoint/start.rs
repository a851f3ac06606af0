//! Starting the endpoint in the background, once, however many commands want it at the same time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::record::{Deliveries, Latency, NO_FOLLOW, Pace, Record, StateDir};
use super::serve::answers;
use crate::error::{Error, Result};
use crate::settings::LOG_VARIABLE;

/// Where the endpoint listens unless another port is asked for: that of other local clouds, so tools know it.
pub(crate) const DEFAULT_PORT: u16 = 4566;

/// An endpoint that takes up many unfinished stacks answers late; longer than this is no start any more.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the endpoint has of the environment of its starter.
const ENVIRONMENT: &[&str] = &["HOME", "LANG", "PATH", "TMPDIR", "TZ", LOG_VARIABLE];

/// How to start it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    /// The port to listen on; 0 for any. Without it, the last one, so that tasks that still run find their endpoint.
    pub(crate) port: Option<u16>,
    /// Region of a new endpoint.
    pub(crate) region: Option<&'a str>,
    /// How long things take; without it, as long as they last did.
    pub(crate) pace: Option<Pace>,
    /// How events are delivered; without it, as they last were.
    pub(crate) deliveries: Option<Deliveries>,
    /// What an image may take on the disk, in MiB; without it, what it last was.
    pub(crate) max_image_size: Option<u64>,
    /// A command needs it: when the port is taken, any other will do.
    pub(crate) automatic: bool,
}

/// What a start has led to.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) record: Record,
    /// Whether it was this call that started it.
    pub(crate) new: bool,
    /// Whether the record of the last endpoint could not be read, so that its port and pace are forgotten.
    pub(crate) was_damaged: bool,
    /// The port that it would have, had another program not taken it.
    pub(crate) taken: Option<u16>,
}

impl Started {
    /// It was running.
    fn before(record: Record) -> Self {
        Self { record, new: false, was_damaged: false, taken: None }
    }
}

/// Makes sure that an endpoint runs and answers.
///
/// # Errors
/// When the port is taken, the state directory cannot be used, or the endpoint does not come up.
pub(crate) async fn start(state: &StateDir, how: Start<'_>) -> Result<Started> {
    if let Some(record) = answering(state).await? {
        return Ok(Started::before(record));
    }
    state.create()?;
    // Two at once: the second waits here, and then finds the endpoint of the first.
    let lock = StateDir::open_lock(&state.start_lock_file())?;
    let begin = Instant::now();
    while let Err(error) = lock.try_lock() {
        match error {
            TryLockError::WouldBlock if begin.elapsed() < PATIENCE => {}
            TryLockError::WouldBlock => return Err(too_late(state)),
            TryLockError::Error(error) => {
                return Err(Error::failed("The state directory cannot be locked.").cause(error));
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if let Some(record) = wait_for_unready(state).await? {
        return Ok(Started::before(record));
    }
    let was_damaged = state.retire_record()?;
    let log = open_log(state)?;
    let log_start = log.metadata().map_or(0, |metadata| metadata.len());
    let last = state.record()?;
    let port = how.port.or(last.as_ref().map(|record| record.port)).unwrap_or(DEFAULT_PORT);
    let mut child = spawn(state, how, last.as_ref(), port, log)?;
    let begin = Instant::now();
    loop {
        if let Some(record) = state.running()?.filter(|record| record.pid == child.id()) {
            let taken = (port != 0 && port != record.port).then_some(port);
            return Ok(Started { record, new: true, was_damaged, taken });
        }
        if let Ok(Some(_)) = child.try_wait() {
            return Err(did_not_start(state, log_start));
        }
        if begin.elapsed() > PATIENCE {
            return Err(too_late(state));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The endpoint that runs, if it answers: one that was killed just now still has lock and socket for a moment, but does
/// nothing any more.
async fn answering(state: &StateDir) -> Result<Option<Record>> {
    let Some(record) = state.running()? else { return Ok(None) };
    match timeout(PATIENCE, answers((Ipv4Addr::LOCALHOST, record.port).into())).await {
        Ok(answer) => Ok(answer.is_ok().then_some(record)),
        Err(_) => Err(too_late(state)),
    }
}

/// An endpoint whose starter was killed may be alive without answering yet, or be about to end.
async fn wait_for_unready(state: &StateDir) -> Result<Option<Record>> {
    let begin = Instant::now();
    while state.is_locked()? {
        if let Some(record) = answering(state).await? {
            return Ok(Some(record));
        }
        if begin.elapsed() > PATIENCE {
            return Err(too_late(state));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(None)
}

fn spawn(state: &StateDir, how: Start<'_>, last: Option<&Record>, port: u16, log: File) -> Result<Child> {
    let failed = |error: std::io::Error| Error::failed("The local endpoint cannot be started.").cause(error);
    let max_image_size = how.max_image_size.or(last.and_then(|record| record.max_image_size));
    let pace = how.pace.or(last.map(|record| record.pace)).unwrap_or_default();
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["local", "serve", "--port", &port.to_string(), "--state-dir"]).arg(state.path());
    if let Some(region) = how.region {
        command.args(["--region", region]);
    }
    if how.automatic {
        command.arg("--automatic");
    }
    if pace.latency == Latency::Aws {
        command.args(["--latency", "aws", "--speed", &pace.speed.to_string()]);
    }
    let deliveries = how.deliveries.or(last.map(|record| record.deliveries)).unwrap_or_default();
    command.args(arguments_of(deliveries));
    if let Some(size) = max_image_size {
        command.args(["--max-image-size", &size.to_string()]);
    }
    // Every task of this user can read our environment, and it may hold the keys of a real account.
    command.env_clear().envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
        // glibc has a heap for every few threads and gives little of it back: after some rounds of forty stacks at once
        // that is as much again as the endpoint needs.
        .env("MALLOC_ARENA_MAX", "1")
        // Not the user's directory: the endpoint would keep it busy and read its settings file.
        .current_dir(state.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .spawn()
        .map_err(failed)
}

fn arguments_of(deliveries: Deliveries) -> Vec<String> {
    let Deliveries { delay, shuffle, duplicate_every, seed } = deliveries;
    let mut arguments = Vec::new();
    let mut add = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
    if delay > 0.0 {
        add("--delay-events", delay.to_string());
    }
    if shuffle > 0.0 {
        add("--shuffle-events", shuffle.to_string());
    }
    if let Some(every) = duplicate_every {
        add("--duplicate-events", every.to_string());
    }
    if deliveries != Deliveries::default() {
        add("--events-seed", seed.to_string());
    }
    arguments
}

fn open_log(state: &StateDir) -> Result<File> {
    const KEEP: u64 = 1 << 20;
    let path = state.log_file();
    let open = |truncate: bool| {
        let mut options = OpenOptions::new();
        options.create(true).mode(0o600).custom_flags(NO_FOLLOW);
        if truncate { options.write(true).truncate(true).open(&path) } else { options.append(true).open(&path) }
    };
    let large = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > KEEP);
    let emptied = if large { open(true).map(drop) } else { Ok(()) };
    emptied.and_then(|()| open(false)).map_err(|error| {
        Error::failed(format!("{} cannot be written.", path.display()))
            .cause(error)
            .hint("Name another state directory with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`.")
    })
}

/// The endpoint's own last words, out of its log.
fn did_not_start(state: &StateDir, log_start: u64) -> Error {
    let read = || -> std::io::Result<String> {
        let mut text = String::new();
        let mut file = File::open(state.log_file())?;
        file.seek(SeekFrom::Start(log_start))?;
        file.read_to_string(&mut text)?;
        Ok(text)
    };
    let log = read().unwrap_or_default();
    // At the start of a line: SQLite's own words end in "error", too.
    let starts_line = |start: usize| start == 0 || log[..start].ends_with('\n');
    let start = log.rmatch_indices("error: ").map(|(start, _)| start).find(|start| starts_line(*start));
    let said = start.map(|start| log[start + "error: ".len()..].trim());
    match said {
        Some(said) => Error::failed(said),
        None => Error::failed("The local endpoint ended while it started.")
            .hint(format!("Its log is {}.", state.log_file().display())),
    }
}

fn too_late(state: &StateDir) -> Error {
    Error::failed(format!("The local endpoint has not answered for {} s.", PATIENCE.as_secs()))
        .hint(format!("Its log is {}; `fis-workshop local stop` ends it.", state.log_file().display()))
}
