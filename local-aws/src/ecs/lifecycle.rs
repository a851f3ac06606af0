//! Takes each task from state to state until it is STOPPED.
//!
//! Every step is one transaction that starts from the state it found, so a task goes on from where it was after any
//! kill, and a step that somebody else took is not taken again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{TimeDelta, Utc};

use super::changes::Changes;
use super::credentials::TaskCredentials;
use super::supervision::Supervision;
use super::task::{Desired, Status, StopCode, Task};
use super::{container, latency, launch, network, task_event};
use crate::background;
use crate::ecr::collection;
use crate::ecr::image_use::ImageUse;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::latency::until;
use crate::program::output;
use crate::program::process::{Exit, Process};
use crate::store::{Record, Tx};

/// How often a running program's output and end are looked for. Files of other processes' making have no better way
/// that is the same on Linux and macOS.
const POLL: Duration = Duration::from_millis(10);

/// How long to wait when the state cannot be read or written.
const RETRY: Duration = Duration::from_secs(1);

/// Drives a new task.
pub(super) fn start(endpoint: &Arc<Endpoint>, task: &Task) {
    drive(endpoint, task.clone(), false);
}

/// Drives a task that an earlier endpoint left.
pub(super) fn go_on(endpoint: &Arc<Endpoint>, task: Task) {
    drive(endpoint, task, true);
}

fn drive(endpoint: &Arc<Endpoint>, task: Task, is_resumed: bool) {
    let endpoint = Arc::downgrade(endpoint);
    background::drive(task.arn.clone(), move || Driver::new(task.clone(), is_resumed).run(Weak::clone(&endpoint)));
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
    /// How many of the [`Changes`] are in `task`.
    seen: u64,
    supervision: Supervision,
    /// Whether the task's process is of an earlier endpoint, and may have ended when none was there.
    is_resumed: bool,
}

impl Driver {
    fn new(task: Task, is_resumed: bool) -> Self {
        Self { task, seen: u64::MAX, supervision: Supervision::default(), is_resumed }
    }

    // Holds the endpoint only during a step: the state directory is free for another one as soon as it stops serving.
    async fn run(mut self, endpoint: Weak<Endpoint>) {
        let Some(changes) = endpoint.upgrade().map(|endpoint| Changes::of(&endpoint)) else { return };
        loop {
            let changed = changes.next();
            let Some(endpoint) = endpoint.upgrade() else { return };
            let next = self.step(&endpoint, &changes).await;
            drop(endpoint);
            let time = match next {
                Ok(Next::Step) => continue,
                Ok(Next::Poll) => POLL,
                Ok(Next::Wait(time)) => time,
                Ok(Next::Done) => return,
                Err(error) => {
                    tracing::error!(%error, task = self.task.arn, "a task could not go on; trying again");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(time) => {}
            }
        }
    }

    async fn step(&mut self, endpoint: &Arc<Endpoint>, changes: &Changes) -> Result<Next, ApiError> {
        let count = changes.count();
        if self.seen != count {
            if !self.reload(endpoint)? {
                return Ok(Next::Done);
            }
            self.seen = count;
        }
        let is_unwanted = self.task.desired_status == Desired::Stopped;
        let rest = self.rest(endpoint);
        match self.task.last_status {
            _ if !rest.is_zero() => Ok(Next::Wait(rest)),
            Status::Provisioning | Status::Pending if is_unwanted => self.advance(endpoint, Status::Deprovisioning),
            Status::Provisioning => self.connect(endpoint),
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
        self.supervision = Supervision::default();
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
        self.change(endpoint, |_, _| Ok(status))
    }

    /// Changes the task and goes to the status that `change` gives, unless somebody took it from where we know it to be.
    fn change(
        &mut self,
        endpoint: &Endpoint,
        change: impl FnOnce(&Tx<'_>, &mut Task) -> Result<Status, ApiError>,
    ) -> Result<Next, ApiError> {
        let from = self.task.last_status;
        let task = endpoint.store.write(|tx| {
            let Some(mut task) = tx.get::<Task>(&self.task.id())? else { return Ok(None) };
            if task.last_status == from {
                let version = task.version;
                let status = change(tx, &mut task)?;
                if status != from {
                    task.enter(status);
                }
                tx.put(&task)?;
                if task.version != version {
                    task_event::send(endpoint, tx, &task)?;
                }
                if from == Status::Activating {
                    launch::note_image(tx, &task)?;
                }
                if status == Status::Stopped {
                    release(tx, &task)?;
                }
            }
            Ok(Some(task))
        })?;
        let Some(task) = task else { return Ok(Next::Done) };
        tracing::debug!(task = task.arn, from = ?from, to = ?task.last_status, "task");
        self.task = task;
        Ok(Next::Step)
    }

    /// Makes the network interface.
    fn connect(&mut self, endpoint: &Endpoint) -> Result<Next, ApiError> {
        self.change(endpoint, |tx, task| match network::attach(endpoint, tx, task)? {
            Ok(()) => Ok(Status::Pending),
            Err(reason) => {
                task.request_stop(StopCode::TaskFailedToStart, reason);
                Ok(Status::Deprovisioning)
            }
        })
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
        let image = match launch::image(endpoint, &self.task).await? {
            Ok(image) => image,
            Err(reason) => return self.fail(endpoint, reason),
        };
        self.change(endpoint, |_, task| {
            task.image_digest = Some(image.digest.clone());
            task.pull_stopped_at = Some(Utc::now());
            task.process_name = container::process_name(task, &image);
            task.stop_signal = launch::stop_signal(&image);
            Ok(Status::Activating)
        })?;
        let program = match launch::program(endpoint, &self.task, &image)? {
            Ok(program) => program,
            Err(reason) => return self.fail(endpoint, reason),
        };
        // A StopTask that came meanwhile stops what has not been started.
        self.reload(endpoint)?;
        if self.task.desired_status == Desired::Stopped {
            return self.advance(endpoint, Status::Deprovisioning);
        }
        let start = if endpoint.ends_tasks { Process::start_tied } else { Process::start };
        match start(&directory, &program) {
            Ok(process) => {
                self.supervision = Supervision::of(process);
                self.is_resumed = false;
                self.advance(endpoint, Status::Running)
            }
            Err(error) => self.fail(endpoint, format!("CannotStartContainerError: {error}")),
        }
    }

    fn fail(&mut self, endpoint: &Endpoint, reason: String) -> Result<Next, ApiError> {
        self.change(endpoint, |_, task| {
            task.container_reason = Some(reason.clone());
            task.request_stop(StopCode::TaskFailedToStart, reason);
            Ok(Status::Deprovisioning)
        })
    }

    /// Looks after the program: its output, its end, and its being stopped.
    async fn supervise(&mut self, endpoint: &Arc<Endpoint>) -> Result<Next, ApiError> {
        let exit = self.supervision.exit(endpoint, &self.task);
        // Before the output, which may be much, or may find the disk full.
        if exit.is_none() && self.task.last_status == Status::Stopping {
            self.supervision.stop(&self.task);
        }
        let is_noisy = self.supervision.take_in(endpoint, &self.task).await?;
        if let Some(exit) = exit {
            return self.finish(endpoint, exit).await;
        }
        self.is_resumed = false;
        if self.task.last_status == Status::Running {
            let is_wanted = self.task.desired_status == Desired::Running;
            if !is_wanted {
                return self.advance(endpoint, Status::Deactivating);
            }
        }
        // A program can write two gigabytes a second.
        Ok(if is_noisy { Next::Wait(POLL / 10) } else { Next::Poll })
    }

    /// The program is over: takes the task to its end.
    async fn finish(&mut self, endpoint: &Arc<Endpoint>, exit: Exit) -> Result<Next, ApiError> {
        if self.task.last_status == Status::Running {
            let is_lost = self.is_resumed && exit.code.is_none();
            let reason = if is_lost {
                "Task stopped while the local endpoint was down"
            } else {
                "Essential container in task exited"
            };
            return self.change(endpoint, |_, task| {
                task.request_stop(StopCode::EssentialContainerExited, reason);
                Ok(Status::Deactivating)
            });
        }
        self.supervision.end(endpoint, &self.task).await?;
        self.change(endpoint, |_, task| {
            task.exit_code = exit.code;
            // The time of a file is up to a tick of the kernel behind the clock.
            task.execution_stopped_at = task.started_at.max(Some(exit.at));
            Ok(Status::Deprovisioning)
        })
    }
}

/// Gives back what a task has as long as it is not over.
fn release(tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
    ImageUse::end(tx, &task.arn)?;
    network::detach(tx, task)?;
    TaskCredentials::revoke(tx, task)?;
    output::forget(tx, &task.id)
}
