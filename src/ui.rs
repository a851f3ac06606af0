//! The terminal: stdout carries data, stderr everything else, and only this module writes to either.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::error::{Document, Error, Kind, Result};
use crate::place::Place;
use crate::settings::{Color, Output, Settings};
use crate::target::Target;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something is going on.
pub(crate) const BUSY: Style = AnsiColor::Cyan.on_default();
/// To be noticed.
pub(crate) const NOTICE: Style = AnsiColor::Yellow.on_default();
/// Of lesser interest.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// `text` in `style`; removed again where there is no colour.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// `about 2 minutes left`.
pub(crate) fn about_left(left: Duration) -> String {
    format!("about {} left", HumanDuration(left))
}

/// A time is whole whatever happened to the one who had the lock.
fn lock(end: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A terminal that cannot go back in a line (in Emacs, in some CI), or that does not say what it can.
fn is_dumb(term: Option<&OsStr>) -> bool {
    term.is_none_or(|term| term == "dumb")
}

/// How the program talks to its user.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    output: Output,
    stdout: ColorChoice,
    stderr: ColorChoice,
    /// The lines that are drawn again and again on a terminal; hidden elsewhere.
    live: MultiProgress,
    /// Whether those lines are drawn.
    redraws: bool,
    /// Completes the commands in messages.
    place: Place,
    /// Whether stdout has got anything.
    has_data: Arc<AtomicBool>,
    /// Whether nothing is told of what goes on.
    is_quiet: bool,
}

impl Default for Ui {
    fn default() -> Self {
        Self::with(Output::default(), Color::default(), Place::default())
    }
}

impl Ui {
    /// For these settings, on the process's own streams.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self::with(settings.output, settings.color, settings.place.clone())
    }

    fn with(output: Output, color: Color, place: Place) -> Self {
        let redraws = std::io::stderr().is_terminal() && !is_dumb(std::env::var_os("TERM").as_deref());
        let target = if redraws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let choice = |auto: ColorChoice| match color {
            Color::Auto => auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            output,
            stdout: choice(AutoStream::choice(&std::io::stdout())),
            stderr: choice(AutoStream::choice(&std::io::stderr())),
            live: MultiProgress::with_draw_target(target),
            redraws,
            place,
            has_data: Arc::default(),
            is_quiet: false,
        }
    }

    /// The same, but that it tells nothing of what goes on.
    pub(crate) fn quiet(&self) -> Self {
        let live = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self { live, is_quiet: true, ..self.clone() }
    }

    /// Whether stdout carries one JSON document and nothing else.
    pub(crate) fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// The result of a command: its JSON form, or its text.
    pub(crate) fn result(&self, value: &(impl Display + Serialize)) -> Result<()> {
        if self.is_json() {
            self.json(value)
        } else {
            self.data(self.complete(&value.to_string()).trim_end_matches('\n'))
        }
    }

    /// `value` as a JSON document on stdout.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::failed("The result cannot be written as JSON.").cause(error))?;
        self.data(&text)
    }

    /// A line (or lines) of data on stdout.
    pub(crate) fn data(&self, text: &str) -> Result<()> {
        self.has_data.store(true, Ordering::Relaxed);
        self.live
            .suspend(|| {
                let mut out = AutoStream::new(std::io::stdout().lock(), self.stdout);
                writeln!(out, "{text}").and_then(|()| out.flush())
            })
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::BrokenPipe => Error::new(Kind::OutputClosed, "Nobody reads the output any more."),
                _ => Error::failed("The output cannot be written.").cause(error),
            })
    }

    /// `text` with the flags that the person used in each command of ours that it names.
    pub(crate) fn complete(&self, text: &str) -> String {
        self.place.complete(text)
    }

    /// The form of an error for machines.
    pub(crate) fn document(&self, error: &Error, target: Target) -> Document {
        let mut document = error.document(target);
        for hint in &mut document.hints {
            *hint = self.complete(hint);
        }
        document
    }

    /// A line that tells what is going on.
    pub(crate) fn note(&self, text: impl Display) {
        if self.is_quiet {
            return;
        }
        let text = self.complete(&text.to_string());
        self.live.suspend(|| {
            let mut err = AutoStream::new(std::io::stderr().lock(), self.stderr);
            // Without stderr there is nobody to tell, and the work itself is not affected.
            let _ = writeln!(err, "{text}");
        });
    }

    /// Something that did not go as it should, without being a failure.
    pub(crate) fn warn(&self, text: impl Display) {
        self.note(format_args!("{} {text}", paint(NOTICE, "warning:")));
    }

    /// What to do next.
    pub(crate) fn hint(&self, text: impl Display) {
        self.note(format_args!("{} {text}", paint(BUSY, "hint:")));
    }

    /// The failure that ends the command.
    pub(crate) fn error(&self, error: &Error, target: Target) {
        if error.kind() != Kind::OutputClosed {
            self.note(format_args!("{} {}", paint(BAD, "error:"), error.report(target)));
        }
    }

    /// The same on stdout for machines, where the command has not got as far as to say anything else there.
    pub(crate) fn error_document(&self, error: &Error, target: Target) {
        if self.is_json() && error.kind() != Kind::OutputClosed && !self.has_data.load(Ordering::Relaxed) {
            // The exit code tells, too.
            let _ = self.json(&serde_json::json!({"error": self.document(error, target)}));
        }
    }

    /// A line that changes while something goes on; on a terminal that can draw it only.
    pub(crate) fn progress(&self, text: impl Into<String>) -> Progress {
        let bar = self.live.add(ProgressBar::new_spinner());
        let end = Arc::new(Mutex::new(None));
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim} {left:.dim}") {
            let end = Arc::clone(&end);
            bar.set_style(style.with_key("left", move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                let left = lock(&end).map(|end: Instant| end.saturating_duration_since(Instant::now()));
                if let Some(left) = left.filter(|left| *left >= Duration::from_secs(1)) {
                    // Into a string, which takes everything.
                    let _ = write!(out, "({})", about_left(left));
                }
            }));
        }
        bar.set_message(text.into());
        if self.redraws {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, end, ui: self.clone() }
    }

    /// Whether there is somebody at a terminal who can be asked. Reading would stop a process in the background.
    pub(crate) fn can_ask(&self) -> bool {
        let foreground = nix::unistd::tcgetpgrp(std::io::stdin());
        self.has_terminal() && foreground.is_ok_and(|group| group == nix::unistd::getpgrp())
    }

    fn has_terminal(&self) -> bool {
        std::io::stderr().is_terminal() && std::io::stdin().is_terminal()
    }

    /// Asks a yes-or-no question; `None` where nobody can answer.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(crate) async fn ask(&self, question: &str) -> Result<Option<bool>> {
        if !self.has_terminal() {
            return Ok(None);
        }
        let answer = self.line(&format!("{question} [y/N]")).await?.unwrap_or_default();
        Ok(Some(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")))
    }

    /// The line that is typed in answer to `question`, without the space around it; `None` for Ctrl-D.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(crate) async fn line(&self, question: &str) -> Result<Option<String>> {
        let unreadable = |error: &dyn Display| Error::failed("The answer cannot be read.").cause(error);
        self.live
            .suspend(|| {
                let mut err = AutoStream::new(std::io::stderr().lock(), self.stderr);
                write!(err, "{question} ").and_then(|()| err.flush())
            })
            .map_err(|error| unreadable(&error))?;
        let (sender, answer) = oneshot::channel();
        // A thread that nobody waits for, so that Ctrl-C ends the command before the line does.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line).map(|bytes| (bytes > 0).then_some(line));
            // Nobody wants it any more after Ctrl-C.
            let _ = sender.send(read);
        });
        let line = answer.await.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))?;
        Ok(line.map(|line| line.trim().to_owned()))
    }
}

/// A line of live progress; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When it is expected to be over.
    end: Arc<Mutex<Option<Instant>>>,
    ui: Ui,
}

impl Progress {
    /// What is going on now.
    pub(crate) fn now(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// How long it is expected to go on; `None` if that is not known. On a terminal the time runs down by itself.
    pub(crate) fn expect(&self, left: Option<Duration>) {
        *lock(&self.end) = left.map(|left| Instant::now() + left);
    }

    /// Something has happened: a plain line, where there is no live line that shows it already.
    pub(crate) fn event(&self, text: impl Display) {
        if !self.ui.redraws {
            self.ui.note(text);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_gets_the_lines_that_a_pipe_gets() {
        assert!(is_dumb(Some(OsStr::new("dumb"))));
        assert!(is_dumb(None));
        assert!(!is_dumb(Some(OsStr::new("xterm-256color"))));
    }
}
