//! Takes each task from state to state until it is STOPPED.
//!
//! Every step is one transaction that starts from the state it found, so a task goes on from where it was after any
//! kill, and a step that somebody else took is not taken again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rustix::process::Signal;
use tokio::sync::Notify;

use super::container_endpoint::TaskCredentials;
use super::output::{Ingested, ingest};
use super::process::{Exit, Process, signal_named};
use super::run_task::ClientToken;
use super::task::{Desired, Status, StopCode, Task};
use super::{cluster::Cluster, container, execution_role, latency, task_definition};
use crate::ecr::image_use::ImageUse;
use crate::ecr::{collection, pull::pull};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::latency::until;
use crate::logs;
use crate::store::{Record, Tx};

/// How often a running program's output and end are looked for. Files of other processes' making have no better way
/// that is the same on Linux and macOS.
const POLL: Duration = Duration::from_millis(10);

/// How long what is left of a process group may take to vanish after SIGKILL.
const LINGER: Duration = Duration::from_secs(1);

/// How long to wait when the state cannot be read or written.
const RETRY: Duration = Duration::from_secs(1);

/// AWS keeps stopped tasks for at least an hour, and client tokens for a day.
const KEEP: TimeDelta = TimeDelta::hours(1);

// Changes of tasks by requests: the tasks' drivers look at their records again.
static CHANGES: AtomicU64 = AtomicU64::new(0);
static CHANGED: Notify = Notify::const_new();

/// Tells the drivers that a request has changed a task.
pub(super) fn wake() {
    CHANGES.fetch_add(1, Ordering::Release);
    CHANGED.notify_waiters();
}

/// Drives a new task.
pub(super) fn start(endpoint: &Arc<Endpoint>, task: &Task) {
    tokio::spawn(Driver::new(task.clone(), false).run(Arc::downgrade(endpoint)));
}

/// Takes up the tasks that an earlier endpoint left, and forgets what is old.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let now = Utc::now();
    let unfinished = endpoint.store.write(|tx| {
        let mut unfinished = Vec::new();
        for task in tx.list::<Task>()? {
            match task.stopped_at {
                Some(time) if now - time > KEEP => {
                    tx.delete::<Task>(&task.id())?;
                }
                Some(_) => {}
                None => {
                    note_image(tx, &task)?;
                    unfinished.push(task);
                }
            }
        }
        for cluster in tx.list::<Cluster>()? {
            if cluster.deleted_at.is_some_and(|time| now - time > KEEP) {
                tx.delete::<Cluster>(&cluster.id())?;
            }
        }
        for token in tx.list::<ClientToken>()? {
            if now - token.used_at > KEEP * 24 {
                tx.delete::<ClientToken>(&token.id())?;
            }
        }
        task_definition::drop_deleted(tx)?;
        Ok(unfinished)
    })?;
    clean(endpoint, &unfinished);
    for task in unfinished {
        tokio::spawn(Driver::new(task, true).run(Arc::downgrade(endpoint)));
    }
    Ok(())
}

/// Records that the task runs its image; at a start, too, for versions before did not.
fn note_image(tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
    task.image_digest.as_ref().map_or(Ok(()), |digest| ImageUse::begin(tx, &task.arn, digest))
}

/// Deletes the files of tasks that nobody needs any more.
fn clean(endpoint: &Endpoint, unfinished: &[Task]) {
    let tasks = std::fs::read_dir(endpoint.state_dir.join("tasks")).into_iter().flatten().try_for_each(|entry| {
        let entry = entry?;
        let id = entry.file_name();
        let is_needed = unfinished.iter().any(|task| *task.id == *id);
        if is_needed { Ok(()) } else { std::fs::remove_dir_all(entry.path()) }
    });
    if let Err(error) = tasks {
        tracing::warn!(%error, "old files were left behind");
    }
}

/// What to do after a step.
enum Next {
    Step,
    Poll,
    Wait(Duration),
    Done,
}

/// Takes one task through its life.
struct Driver {
    task: Task,
    /// What of [`CHANGES`] is in `task`.
    seen: u64,
    process: Option<Process>,
    /// As far as is known without looking it up.
    ingested: Option<u64>,
    exit: Option<Exit>,
    is_signalled: bool,
    killed_at: Option<std::time::Instant>,
    /// Whether the task's process is of an earlier endpoint, and may have ended when none was there.
    is_resumed: bool,
}

impl Driver {
    fn new(task: Task, is_resumed: bool) -> Self {
        Self {
            task,
            seen: u64::MAX,
            process: None,
            ingested: None,
            exit: None,
            is_signalled: false,
            killed_at: None,
            is_resumed,
        }
    }

    // Holds the endpoint only during a step: the state directory is free for another one as soon as it stops serving.
    async fn run(mut self, endpoint: Weak<Endpoint>) {
        loop {
            let changed = CHANGED.notified();
            let Some(endpoint) = endpoint.upgrade() else { return };
            let next = self.step(&endpoint).await;
            drop(endpoint);
            match next {
                Ok(Next::Step) => {}
                Ok(Next::Poll) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Ok(Next::Wait(time)) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(time) => {}
                    }
                }
                Ok(Next::Done) => return,
                Err(error) => {
                    tracing::error!(%error, task = self.task.arn, "a task could not go on; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn step(&mut self, endpoint: &Arc<Endpoint>) -> Result<Next, ApiError> {
        let changes = CHANGES.load(Ordering::Acquire);
        if self.seen != changes {
            if !self.reload(endpoint)? {
                return Ok(Next::Done);
            }
            self.seen = changes;
        }
        let is_unwanted = self.task.desired_status == Desired::Stopped;
        let rest = self.rest(endpoint);
        match self.task.last_status {
            _ if !rest.is_zero() => Ok(Next::Wait(rest)),
            Status::Provisioning | Status::Pending if is_unwanted => self.advance(endpoint, Status::Deprovisioning),
            Status::Provisioning => self.advance(endpoint, Status::Pending),
            Status::Pending => self.advance(endpoint, Status::Activating),
            Status::Activating => self.activate(endpoint).await,
            Status::Running => self.supervise(endpoint).await,
            Status::Deactivating => self.advance(endpoint, Status::Stopping),
            Status::Stopping => self.supervise(endpoint).await,
            Status::Deprovisioning => {
                self.remove_files(endpoint);
                let next = self.advance(endpoint, Status::Stopped)?;
                if let Some(digest) = &self.task.image_digest {
                    collection::collect_unless_kept(endpoint, digest)?;
                }
                Ok(next)
            }
            Status::Stopped => Ok(Next::Done),
        }
    }

    /// How long the task still stays where it is, when the latencies are AWS's. One that is not wanted any more does not
    /// start.
    fn rest(&self, endpoint: &Endpoint) -> Duration {
        let is_starting = self.task.last_status < Status::Running;
        if endpoint.latency.is_none() || is_starting && self.task.desired_status == Desired::Stopped {
            return Duration::ZERO;
        }
        let typical = latency::of(self.task.last_status);
        let begin = self.task.entered_at.unwrap_or(self.task.created_at);
        let end =
            TimeDelta::from_std(endpoint.latency.of(typical)).ok().and_then(|stay| begin.checked_add_signed(stay));
        end.map(until).unwrap_or_default()
    }

    /// Before STOPPED is told, so that a stopped task has left nothing. All that was in the files is in the state.
    fn remove_files(&mut self, endpoint: &Endpoint) {
        self.process = None;
        let directory = self.task.directory(endpoint);
        if let Err(error) = std::fs::remove_dir_all(&directory)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %directory.display(), "left behind until the next start");
        }
    }

    fn reload(&mut self, endpoint: &Endpoint) -> Result<bool, ApiError> {
        let task = endpoint.store.read(|tx| tx.get::<Task>(&self.task.id()))?;
        let is_there = task.is_some();
        self.task = task.unwrap_or_else(|| self.task.clone());
        Ok(is_there)
    }

    /// Goes to `status`.
    fn advance(&mut self, endpoint: &Endpoint, status: Status) -> Result<Next, ApiError> {
        self.change(endpoint, status, |_| {})
    }

    /// Changes the task and goes to `status`, unless somebody took it from where we know it to be.
    fn change(
        &mut self,
        endpoint: &Endpoint,
        status: Status,
        change: impl FnOnce(&mut Task),
    ) -> Result<Next, ApiError> {
        let from = self.task.last_status;
        let task = endpoint.store.write(|tx| {
            let Some(mut task) = tx.get::<Task>(&self.task.id())? else { return Ok(None) };
            if task.last_status == from {
                change(&mut task);
                if status != from {
                    task.enter(status);
                }
                tx.put(&task)?;
                if from == Status::Activating {
                    note_image(tx, &task)?;
                }
                if status == Status::Stopped {
                    ImageUse::end(tx, &task.arn)?;
                    TaskCredentials::revoke(tx, &task)?;
                    tx.delete::<Ingested>(&task.id)?;
                }
            }
            Ok(Some(task))
        })?;
        let Some(task) = task else { return Ok(Next::Done) };
        tracing::debug!(task = task.arn, from = ?from, to = ?task.last_status, "task");
        self.task = task;
        Ok(Next::Step)
    }

    /// Gets the image, makes the log stream and starts the program.
    async fn activate(&mut self, endpoint: &Arc<Endpoint>) -> Result<Next, ApiError> {
        let directory = self.task.directory(endpoint);
        if Process::was_started(&directory) {
            return self.advance(endpoint, Status::Running);
        }
        if self.task.desired_status == Desired::Stopped {
            return self.advance(endpoint, Status::Deprovisioning);
        }
        if let Err(reason) = endpoint.store.read(|tx| execution_role::may_pull(tx, &self.task))? {
            return self.fail(endpoint, reason);
        }
        let (registry, reference) = (endpoint.clone(), self.task.container.image.clone());
        let architecture = self.task.docker_architecture();
        let pulled = tokio::task::spawn_blocking(move || pull(&registry, &reference, architecture))
            .await
            .map_err(|error| ApiError::internal(format!("The image could not be unpacked: {error}")))?;
        let image = match pulled {
            Ok(image) => image,
            Err(error) => {
                let text = format!("CannotPullContainerError: pull image manifest has been retried 1 time(s): {error}");
                return self.fail(endpoint, text);
            }
        };
        let stop_signal = image.config.config().as_ref().and_then(|config| config.stop_signal().clone());
        if let Some(name) = stop_signal.as_ref().filter(|name| signal_named(name).is_none()) {
            return self.fail(endpoint, format!("CannotCreateContainerError: invalid signal: {name}"));
        }
        self.change(endpoint, Status::Activating, |task| {
            task.image_digest = Some(image.digest.clone());
            task.pull_stopped_at = Some(Utc::now());
            task.stop_signal = stop_signal;
        })?;
        if let Err(reason) = self.open_log(endpoint)? {
            return self.fail(endpoint, reason);
        }
        let program = match container::program(endpoint, &self.task, &image) {
            Ok(program) => program,
            Err(reason) => return self.fail(endpoint, reason),
        };
        // A StopTask that came meanwhile stops what has not been started.
        self.reload(endpoint)?;
        if self.task.desired_status == Desired::Stopped {
            return self.advance(endpoint, Status::Deprovisioning);
        }
        match Process::start(&directory, &program) {
            Ok(process) => {
                self.process = Some(process);
                self.is_resumed = false;
                self.advance(endpoint, Status::Running)
            }
            Err(error) => self.fail(endpoint, format!("CannotStartContainerError: {error}")),
        }
    }

    /// Makes the log stream; the failure's text when it cannot be.
    fn open_log(&self, endpoint: &Endpoint) -> Result<Result<(), String>, ApiError> {
        let Some((group, stream)) = self.task.log_stream() else { return Ok(Ok(())) };
        let opened = endpoint.store.write(|tx| {
            if let Err(denial) = execution_role::may_log(endpoint, tx, &self.task, group, &stream)? {
                return Ok(Err(denial));
            }
            match logs::ensure_stream(tx, group, &stream) {
                Ok(()) => Ok(Ok(())),
                Err(error) if error.status >= 500 => Err(error),
                Err(error) => Ok(Err(format!("{}: {}", error.code, error.message))),
            }
        })?;
        Ok(opened.map_err(|error| {
            format!(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: {error} : exit status 1"
            )
        }))
    }

    fn fail(&mut self, endpoint: &Endpoint, reason: String) -> Result<Next, ApiError> {
        self.change(endpoint, Status::Deprovisioning, |task| {
            task.container_reason = Some(reason.clone());
            task.request_stop(StopCode::TaskFailedToStart, reason);
        })
    }

    /// Looks after the program: its output, its end, and its being stopped.
    async fn supervise(&mut self, endpoint: &Endpoint) -> Result<Next, ApiError> {
        if self.process.is_none() {
            self.process = Process::adopt(&self.task.directory(endpoint)).ok();
        }
        let Some(process) = &mut self.process else {
            return self.finish(endpoint, Exit { code: None, at: Utc::now() }).await;
        };
        self.exit = self.exit.or_else(|| process.exit());
        ingest(endpoint, &self.task, process, &mut self.ingested, false)?;
        if let Some(exit) = self.exit {
            return self.finish(endpoint, exit).await;
        }
        self.is_resumed = false;
        if self.task.last_status == Status::Running {
            let is_wanted = self.task.desired_status == Desired::Running;
            return if is_wanted { Ok(Next::Poll) } else { self.advance(endpoint, Status::Deactivating) };
        }
        self.stop();
        Ok(Next::Poll)
    }

    /// Signals a program that shall stop: the stop signal, SIGKILL after the grace, and at last all that is left.
    fn stop(&mut self) {
        let Some(process) = &mut self.process else { return };
        if !self.is_signalled {
            let signal = self.task.stop_signal.as_deref().and_then(signal_named).unwrap_or(Signal::TERM);
            self.is_signalled = process.signal(signal);
        }
        if self.task.kill_at.is_none_or(|time| Utc::now() < time) {
            return;
        }
        match self.killed_at {
            None => {
                process.signal(Signal::KILL);
                self.killed_at = Some(std::time::Instant::now());
            }
            // Init should have noted the end by now. It cannot, or the program has no process id yet.
            Some(time) if time.elapsed() > LINGER => process.kill_group(),
            Some(_) => {}
        }
    }

    /// The program is over: takes in the rest of its output, and the task to its end.
    async fn finish(&mut self, endpoint: &Endpoint, exit: Exit) -> Result<Next, ApiError> {
        if self.task.last_status == Status::Running {
            let is_lost = self.is_resumed && exit.code.is_none();
            let reason = if is_lost {
                "Task stopped while the local endpoint was down"
            } else {
                "Essential container in task exited"
            };
            return self.change(endpoint, Status::Deactivating, |task| {
                task.request_stop(StopCode::EssentialContainerExited, reason);
            });
        }
        if let Some(process) = &mut self.process {
            process.kill_group();
            let deadline = std::time::Instant::now() + LINGER;
            while process.is_alive() && std::time::Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ingest(endpoint, &self.task, process, &mut self.ingested, true)?;
        }
        self.change(endpoint, Status::Deprovisioning, |task| {
            task.exit_code = exit.code;
            // The time of a file is up to a tick of the kernel behind the clock.
            task.execution_stopped_at = task.started_at.max(Some(exit.at));
        })
    }
}
