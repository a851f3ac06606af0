//! A task's running program: its output, its end, and its being stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use rustix::process::Signal;

use super::task::Task;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::program::output::{Destination, Output};
use crate::program::process::{Exit, Process, signal_named};

/// How long what is left of a process group may take to vanish after SIGKILL.
const LINGER: Duration = Duration::from_secs(1);

/// How far a program may be ahead of its log, in bytes, before it has to wait.
const MAX_AHEAD: u64 = 512 * 1024;

/// How soon that is seen while its log is written.
const LOOK: Duration = Duration::from_millis(5);

/// A program, and how far it has come.
#[derive(Default)]
pub(super) struct Supervision {
    process: Option<Process>,
    output: Output,
    /// Whether the program waits for its log, as far as is known. An earlier endpoint may have left it so.
    is_held: bool,
    /// Whether it ever had to.
    is_noisy: bool,
    exit: Option<Exit>,
    is_signalled: bool,
    killed_at: Option<Instant>,
}

/// A program that once had to wait would fill the disk when nobody makes it wait any more. The next endpoint lets it go on.
impl Drop for Supervision {
    fn drop(&mut self) {
        if let Some(process) = self.process.as_ref().filter(|_| self.is_noisy) {
            process.hold();
        }
    }
}

impl Supervision {
    pub(super) fn of(process: Process) -> Self {
        let mut supervision = Self::default();
        supervision.process = Some(process);
        supervision
    }

    /// How the program ended, if it did. To be asked before its output is taken in: what it writes after the look comes
    /// at the end.
    pub(super) fn exit(&mut self, endpoint: &Endpoint, task: &Task) -> Option<Exit> {
        if self.process.is_none() {
            self.process = Process::adopt(&task.directory(endpoint)).ok();
            self.is_held = true;
        }
        let Some(process) = &mut self.process else { return Some(Exit { code: None, at: Utc::now() }) };
        // Whoever deletes the state directory leaves nobody who could stop it later.
        if process.is_deserted() {
            process.kill_group();
        }
        self.exit = self.exit.or_else(|| process.exit());
        self.exit
    }

    /// Takes in new output; whether to look again very soon. A program that is too far ahead waits meanwhile.
    pub(super) async fn take_in(&mut self, endpoint: &Arc<Endpoint>, task: &Task) -> Result<bool, ApiError> {
        let Some(process) = &self.process else { return Ok(false) };
        let to = destination(task);
        let limit = self.output.position(endpoint, &to)? + MAX_AHEAD;
        let ingest = self.output.ingest(endpoint, &to, process, false);
        tokio::pin!(ingest);
        // Others may have their turn first, and it writes on meanwhile.
        let ahead = loop {
            // Again and again: whatever an earlier endpoint or somebody else has done to it, it has to wait now.
            if process.written().is_ok_and(|written| written > limit) {
                process.hold();
                self.is_held = true;
                self.is_noisy = true;
            }
            tokio::select! {
                ahead = &mut ingest => break ahead?,
                () = tokio::time::sleep(LOOK) => {}
            }
        };
        if self.is_held && ahead <= MAX_AHEAD {
            process.resume();
            self.is_held = false;
        }
        Ok(self.is_noisy)
    }

    /// Signals a program that shall stop: the stop signal, SIGKILL after the grace, and at last all that is left.
    pub(super) fn stop(&mut self, task: &Task) {
        let Some(process) = &mut self.process else { return };
        if !self.is_signalled {
            let signal = task.stop_signal.as_deref().and_then(signal_named).unwrap_or(Signal::TERM);
            self.is_signalled = process.signal(signal);
            process.resume();
            self.is_held = false;
        }
        if task.kill_at.is_none_or(|time| Utc::now() < time) {
            return;
        }
        match self.killed_at {
            None => {
                process.signal(Signal::KILL);
                // Init is to note it.
                process.resume();
                self.is_held = false;
                self.killed_at = Some(Instant::now());
            }
            // Init should have noted the end by now. It cannot, or the program has no process id yet.
            Some(time) if time.elapsed() > LINGER => process.kill_group(),
            Some(_) => {}
        }
    }

    /// Ends what a program that is over has left, and takes in the rest of its output.
    pub(super) async fn end(&mut self, endpoint: &Arc<Endpoint>, task: &Task) -> Result<(), ApiError> {
        let Some(process) = &mut self.process else { return Ok(()) };
        process.kill_group();
        let deadline = Instant::now() + LINGER;
        while process.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let to = destination(task);
        self.output.shorten(endpoint, &to, process)?;
        while self.output.ingest(endpoint, &to, process, true).await? > 0 {}
        Ok(())
    }
}

/// Where the output of the task's program goes.
fn destination(task: &Task) -> Destination {
    let stream = task.log_stream().map(|(group, stream)| (group.to_owned(), stream));
    Destination { program: task.id.clone(), stream }
}
