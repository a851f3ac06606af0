//! A task's running program: its output, its end, and its being stopped.

use std::time::{Duration, Instant};

use chrono::Utc;
use rustix::process::Signal;

use super::task::Task;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::program::output::{Destination, ingest};
use crate::program::process::{Exit, Process, signal_named};

/// How long what is left of a process group may take to vanish after SIGKILL.
const LINGER: Duration = Duration::from_secs(1);

/// A program, and how far it has come.
#[derive(Default)]
pub(super) struct Supervision {
    process: Option<Process>,
    /// As far as is known without looking it up.
    ingested: Option<u64>,
    exit: Option<Exit>,
    is_signalled: bool,
    killed_at: Option<Instant>,
}

impl Supervision {
    pub(super) fn of(process: Process) -> Self {
        Self { process: Some(process), ..Self::default() }
    }

    /// Takes in new output; how the program ended, if it did.
    pub(super) fn look(&mut self, endpoint: &Endpoint, task: &Task) -> Result<Option<Exit>, ApiError> {
        if self.process.is_none() {
            self.process = Process::adopt(&task.directory(endpoint)).ok();
        }
        let Some(process) = &mut self.process else { return Ok(Some(Exit { code: None, at: Utc::now() })) };
        // Before the output: what is written after the look is taken in at the end.
        self.exit = self.exit.or_else(|| process.exit());
        ingest(endpoint, &destination(task), process, &mut self.ingested, false)?;
        Ok(self.exit)
    }

    /// Signals a program that shall stop: the stop signal, SIGKILL after the grace, and at last all that is left.
    pub(super) fn stop(&mut self, task: &Task) {
        let Some(process) = &mut self.process else { return };
        if !self.is_signalled {
            let signal = task.stop_signal.as_deref().and_then(signal_named).unwrap_or(Signal::TERM);
            self.is_signalled = process.signal(signal);
        }
        if task.kill_at.is_none_or(|time| Utc::now() < time) {
            return;
        }
        match self.killed_at {
            None => {
                process.signal(Signal::KILL);
                self.killed_at = Some(Instant::now());
            }
            // Init should have noted the end by now. It cannot, or the program has no process id yet.
            Some(time) if time.elapsed() > LINGER => process.kill_group(),
            Some(_) => {}
        }
    }

    /// Ends what a program that is over has left, and takes in the rest of its output.
    pub(super) async fn end(&mut self, endpoint: &Endpoint, task: &Task) -> Result<(), ApiError> {
        let Some(process) = &mut self.process else { return Ok(()) };
        process.kill_group();
        let deadline = Instant::now() + LINGER;
        while process.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ingest(endpoint, &destination(task), process, &mut self.ingested, true)
    }
}

/// Where the output of the task's program goes.
fn destination(task: &Task) -> Destination<'_> {
    Destination { program: &task.id, stream: task.log_stream() }
}
