//! Stopping within a second: what ECS and FIS ask of a task with SIGTERM.

use std::{future::pending, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};

use crate::Failure;

/// How long a request in flight may still take after the signal, out of the second that a stopping task has.
const GRACE: Duration = Duration::from_millis(500);

/// The signals that end a job early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// From `ecs:StopTask`, which `aws:ecs:stop-task` calls.
    Terminate,
    /// From the keyboard, when the job runs on a terminal.
    Interrupt,
}

impl Signal {
    /// The signal's name as the manual writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    /// 128 + the signal's number: what a shell, and ECS in `containers[].exitCode`, show for it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 143,
            Self::Interrupt => 130,
        }
    }
}

/// Tells whoever asks whether the job has been told to stop. Only the first signal counts.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<Option<Signal>>);

impl Stop {
    /// Takes SIGTERM and SIGINT over from the kernel's default, for the rest of the process.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let handle = |kind| signal(kind).map_err(Failure::process("installing a signal handler"));
        let mut terminate = handle(SignalKind::terminate())?;
        let mut interrupt = handle(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let first = tokio::select! {
                _ = terminate.recv() => Signal::Terminate,
                _ = interrupt.recv() => Signal::Interrupt,
            };
            sender.send_replace(Some(first));
        });
        Ok(Self(receiver))
    }

    /// Waits for the signal.
    pub(crate) async fn received(&self) -> Signal {
        let mut receiver = self.0.clone();
        let first = receiver.wait_for(Option::is_some).await;
        match first.ok().and_then(|signal| *signal) {
            Some(signal) => signal,
            // The sender is gone only when the runtime is.
            None => pending().await,
        }
    }

    /// Waits for the signal and then as long as leaves time to give back what a request in flight may bring.
    pub(crate) async fn half_out_of_time(&self) -> Signal {
        let signal = self.received().await;
        sleep(GRACE / 2).await;
        signal
    }

    /// The signal, if there has been one.
    pub(crate) fn so_far(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits for the signal and then until a request in flight has had its time.
    pub(crate) async fn out_of_time(&self) -> Signal {
        let signal = self.received().await;
        sleep(GRACE).await;
        signal
    }
}
