//! An execution environment: a process, its Runtime API, its log and its credentials.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::code::docker_architecture;
use super::function::Function;
use super::log::Log;
use super::program::{Refusal, Surroundings, program};
use super::refusal::{invalid, refused};
use super::runtime_api::{Call, Event, RuntimeApi};
use crate::auth::Session;
use crate::ecr::pull::{PullError, PulledImage, pull};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::program::output::{self, Destination, Output};
use crate::program::process::{Process, Program};
use crate::store::{Record, Tx};

/// How often a process's output and end are looked for while it works.
const POLL: Duration = Duration::from_millis(10);

/// The same for one that has to wait for its log.
const SOON: Duration = Duration::from_millis(1);

/// How far a process may be ahead of its log, in bytes, before it has to wait.
const MAX_AHEAD: u64 = 512 * 1024;

/// How long what is left of a process group may take to vanish after SIGKILL.
const LINGER: Duration = Duration::from_secs(1);

/// How long an environment is used; its credentials live longer.
const MAX_AGE: Duration = Duration::from_secs(4 * 3600);
const CREDENTIALS: TimeDelta = TimeDelta::hours(6);

/// What an endpoint that was killed has left to the next one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EnvironmentRecord {
    pub(super) id: String,
    /// Access key of its credentials.
    session: String,
}

impl Record for EnvironmentRecord {
    const KIND: &'static str = "lambda.environment";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl EnvironmentRecord {
    /// Forgets it: its credentials are worth nothing from now on.
    pub(super) fn forget(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        if let Some(record) = tx.get::<Self>(id)? {
            tx.delete::<Session>(&record.session)?;
            tx.delete::<Self>(id)?;
        }
        output::forget(tx, id)
    }
}

/// Where the files of environments are.
pub(super) fn directory(endpoint: &Endpoint) -> PathBuf {
    endpoint.state_dir.join("functions")
}

/// What a process does next.
#[derive(Debug)]
pub(super) enum Sign {
    Call(Call),
    /// The process is over, with this exit code.
    Exited(Option<i32>),
    TimedOut,
}

/// A running environment. Its process ends with it.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) id: String,
    pub(super) generation: String,
    pub(super) log: Log,
    pub(super) api: RuntimeApi,
    begun: Instant,
    process: Process,
    output: Output,
    to: Destination,
    directory: PathBuf,
    /// Set while the process waits for an event.
    waiting: Option<oneshot::Sender<Event>>,
    is_held: bool,
    // Keeps the files of the image.
    _image: PulledImage,
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill_group();
    }
}

/// Log and credentials of an environment whose process is still to be started.
pub(super) struct Prepared {
    id: String,
    pub(super) log: Log,
    session: Session,
    image: PulledImage,
}

impl Prepared {
    /// Gets the image, makes the log and the credentials.
    pub(super) async fn new(endpoint: &Arc<Endpoint>, function: &Function) -> Result<Self, ApiError> {
        let image = image(endpoint, function).await?;
        let id = Uuid::new_v4().simple().to_string();
        let session = Session::new(function.settings.role.clone(), function.name.clone(), Utc::now() + CREDENTIALS);
        let log = endpoint.store.write(|tx| {
            iam::assume(endpoint, tx, &function.settings.role, "lambda.amazonaws.com", &function.arn)?;
            tx.put(&session)?;
            tx.put(&EnvironmentRecord { id: id.clone(), session: session.access_key_id.clone() })?;
            Log::open(endpoint, tx, function, &id)
        })?;
        Ok(Self { id, log, session, image })
    }

    /// Starts the process; the refusal when the image has none.
    pub(super) async fn start(
        self,
        endpoint: &Endpoint,
        function: &Function,
    ) -> Result<Result<Environment, Refusal>, ApiError> {
        let failed = |error: std::io::Error| ApiError::internal(format!("A function could not be started: {error}"));
        let api = RuntimeApi::open().await.map_err(failed)?;
        let around = Surroundings {
            image: &self.image,
            runtime_api: api.address.to_string(),
            session: &self.session,
            log: &self.log,
        };
        let program = match program(endpoint, function, &around) {
            Ok(program) => program,
            Err(refusal) => {
                endpoint.store.write(|tx| EnvironmentRecord::forget(tx, &self.id))?;
                return Ok(Err(refusal));
            }
        };
        self.spawn(endpoint, function, api, &program).map(Ok).map_err(failed)
    }

    fn spawn(
        self,
        endpoint: &Endpoint,
        function: &Function,
        api: RuntimeApi,
        program: &Program,
    ) -> std::io::Result<Environment> {
        let directory = directory(endpoint).join(&self.id);
        let process = Process::start_tied(&directory, program)?;
        Ok(Environment {
            to: Destination { program: self.id.clone(), stream: self.log.0.clone() },
            id: self.id,
            generation: function.generation.clone(),
            log: self.log,
            api,
            begun: Instant::now(),
            process,
            output: Output::default(),
            directory,
            waiting: None,
            is_held: false,
            _image: self.image,
        })
    }
}

async fn image(endpoint: &Arc<Endpoint>, function: &Function) -> Result<PulledImage, ApiError> {
    let (registry, reference) = (Arc::clone(endpoint), function.code.resolved_image_uri.clone());
    let architecture = docker_architecture(&function.architecture);
    let pulled = tokio::task::spawn_blocking(move || pull(&registry, &reference, architecture)).await;
    let pulled = pulled.map_err(|error| ApiError::internal(format!("The image could not be unpacked: {error}")))?;
    pulled.map_err(|error| match error {
        PullError::NotFound(reference) => {
            let message = format!("The image {reference} of the function was deleted from its repository.");
            refused("CodeArtifactUserDeletedException", 409, message)
        }
        PullError::State(error) => error,
        other => invalid(format!("The image of the function cannot be used: {other}")),
    })
}

impl Environment {
    /// Waits for what the process does next, and takes in what it writes.
    pub(super) async fn watch(&mut self, endpoint: &Arc<Endpoint>, deadline: Instant) -> Result<Sign, ApiError> {
        loop {
            let pause = if self.is_held { SOON } else { POLL };
            tokio::select! {
                biased;
                call = self.api.calls.recv() => {
                    // The channel is open as long as our own exchange is.
                    return Ok(call.map_or(Sign::Exited(None), Sign::Call));
                }
                () = tokio::time::sleep_until(deadline.into()) => return Ok(Sign::TimedOut),
                () = tokio::time::sleep(pause) => {}
            }
            let exit = self.process.exit();
            self.take_in(endpoint).await?;
            if let Some(exit) = exit {
                // It may have spoken before its end.
                return Ok(self.api.calls.try_recv().map_or(Sign::Exited(exit.code), Sign::Call));
            }
        }
    }

    /// Takes in new output. A process that is too far ahead waits meanwhile.
    async fn take_in(&mut self, endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
        let ahead = self.output.ingest(endpoint, &self.to, &self.process, false).await?;
        if ahead > MAX_AHEAD && !self.is_held {
            // The process alone: the guard of its group must be able to act.
            self.process.signal(Signal::STOP);
            self.is_held = true;
        } else if ahead <= MAX_AHEAD && self.is_held {
            self.thaw();
        }
        Ok(())
    }

    /// Waits until the process asks for its first event; how it fails to.
    pub(super) async fn initialize(
        &mut self,
        endpoint: &Arc<Endpoint>,
        limit: Duration,
    ) -> Result<Option<Sign>, ApiError> {
        let deadline = Instant::now() + limit;
        Ok(match self.watch(endpoint, deadline).await? {
            Sign::Call(Call::Next(sender)) => {
                self.waiting = Some(sender);
                None
            }
            sign => Some(sign),
        })
    }

    /// Hands the process an event and waits for its answer.
    pub(super) async fn handle(
        &mut self,
        endpoint: &Arc<Endpoint>,
        event: &Event,
        deadline: Instant,
    ) -> Result<Sign, ApiError> {
        self.thaw();
        while !self.hand_over(event) {
            match self.watch(endpoint, deadline).await? {
                Sign::Call(Call::Next(sender)) => self.waiting = Some(sender),
                sign => return Ok(sign),
            }
        }
        loop {
            match self.watch(endpoint, deadline).await? {
                Sign::Call(Call::Next(sender)) => self.waiting = Some(sender),
                sign => {
                    self.api.exchange.end();
                    return Ok(sign);
                }
            }
        }
    }

    /// Whether somebody was there to take it.
    fn hand_over(&mut self, event: &Event) -> bool {
        let Some(sender) = self.waiting.take() else { return false };
        self.api.exchange.begin(&event.request_id);
        if sender.send(event.clone()).is_ok() {
            return true;
        }
        self.api.exchange.end();
        false
    }

    /// How much the process has written so far, in bytes.
    pub(super) fn written(&self) -> u64 {
        self.process.written().unwrap_or_default()
    }

    /// The last bytes that the process has written, of those behind `from`.
    pub(super) fn written_since(&self, from: u64, most: usize) -> Vec<u8> {
        let end = self.written();
        let begin = from.min(end).max(end.saturating_sub(most as u64));
        self.process.output(begin, most).unwrap_or_default()
    }

    pub(super) fn peak_memory(&self) -> Option<u64> {
        self.process.peak_memory()
    }

    /// Takes in all that the process has written for the event that it has answered.
    pub(super) async fn settle(&mut self, endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
        while self.output.ingest(endpoint, &self.to, &self.process, true).await? > 0 {}
        Ok(())
    }

    /// Kills the process and takes in the rest of what it has written.
    pub(super) async fn end(&mut self, endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
        self.process.kill_group();
        let deadline = Instant::now() + LINGER;
        while self.process.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(SOON).await;
        }
        self.output.shorten(endpoint, &self.to, &self.process)?;
        self.settle(endpoint).await
    }

    /// Ends what is idle or has ended, with its files and credentials.
    pub(super) fn discard(mut self, endpoint: &Endpoint) {
        self.process.kill_group();
        if let Err(error) = endpoint.store.write(|tx| EnvironmentRecord::forget(tx, &self.id)) {
            tracing::warn!(%error, "credentials of a function are left to the next start");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::warn!(%error, path = %self.directory.display(), "left behind until the next start");
        }
    }

    /// Whether the next event of this function may go here.
    pub(super) fn is_fit(&mut self, function: &Function) -> bool {
        self.generation == function.generation && self.begun.elapsed() < MAX_AGE && self.process.exit().is_none()
    }

    /// Lets an idle process wait, as Lambda does. Not its group, whose guard must be able to act.
    pub(super) fn freeze(&mut self) {
        if self.process.exit().is_none() {
            self.process.signal(Signal::STOP);
            self.is_held = true;
        }
    }

    fn thaw(&mut self) {
        if self.is_held {
            self.process.signal(Signal::CONT);
            self.is_held = false;
        }
    }
}
