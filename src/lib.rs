//! `fis-workshop`: sets up, runs, breaks, observes and tears down one chaos-engineering lab, with one command each.
//!
//! # Layout
//! In reading order:
//! - [`commands`]: one verb, one file: its arguments and one function
//! - [`watch`]: the live page
//! - [`lab`]: the chapter as a program: the designs, what is done with them, the evidence, the verdict
//! - [`prove`]: a variant killed at every point of its protocol
//! - [`record`]: what happened, as a file of events; [`report`]: the page that is made of it
//! - [`setup`]: both stacks of the lab, up and down again
//! - [`status`]: an environment as it is
//! - [`aws`]: the AWS services that the lab uses, without a word to the terminal
//! - [`doctor`]: what would stand in the way of `up`
//! - [`endpoint`]: the local endpoint as a background process
//! - [`environment`]: one copy of the lab, and the names of its parts
//! - [`worker_log`]: the lines of the workers' logs
//! - [`render`]: the templates; [`ui`]: the terminal; [`settings`]: flags, variables, file; [`target`]: here or on AWS; [`place`]: the flags that
//!   lead there, for messages
//! - [`error`]: what failed, why, what to do, and with which exit code

#![allow(rustdoc::private_intra_doc_links, reason = "read by those who work on it, with the private items")]

mod aws;
mod commands;
mod doctor;
mod endpoint;
mod environment;
mod error;
mod lab;
mod place;
mod prove;
mod record;
mod render;
mod report;
mod settings;
mod setup;
mod status;
mod target;
mod ui;
mod watch;
mod worker_log;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::commands::{Cli, Context};
use crate::error::{Error, Kind, Result};
use crate::place::Place;
use crate::settings::{FileSettings, LOG_VARIABLE, Settings};
use crate::target::Target;
use crate::ui::Ui;

/// Runs the command line of this process; what it returns is the exit code.
pub fn main() -> ExitCode {
    match commands::completions::answer() {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => return said(&error),
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return said(&commands::explained(error)),
    };
    let settings = match resolve(&cli) {
        // Its messages are handed on by the command that has started it, which completes them for the person.
        Ok(settings) if cli.command.is_serve() => Settings { place: Place::default(), ..settings },
        Ok(settings) => settings,
        Err(error) => {
            Ui::default().error(&error, Target::Local);
            return ExitCode::from(error.exit_code());
        }
    };
    let ui = Ui::new(&settings);
    let context = Context::new(settings, ui);
    init_tracing(cli.command.is_serve());
    match run(&context, cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            context.ui.error(&error, context.settings.target);
            context.ui.error_document(&error, context.settings.target);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Help and version go to stdout with code 0, mistakes to stderr with code 2.
fn said(error: &clap::Error) -> ExitCode {
    // Nobody to print to: no more to do.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

fn resolve(cli: &Cli) -> Result<Settings> {
    let directory = std::env::current_dir()
        .map_err(|error| Error::usage("The current directory does not exist any more.").cause(error))?;
    Settings::resolve(cli.global.clone(), FileSettings::load(&directory)?)
}

fn init_tracing(is_serve: bool) {
    let default = if is_serve { "info" } else { "off" };
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // It would tell of a line that a full disk does not take on the same disk, and panic.
        .log_internal_errors(false)
        .init();
}

fn run(context: &Context, cli: Cli) -> Result<u8> {
    let command = match cli.command.serve_args() {
        // The endpoint has a runtime and signals of its own.
        Some(args) => return commands::local::serve(context, args).map(|()| 0),
        None => cli.command,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed("The runtime cannot be started.").cause(error))?;
    runtime.block_on(async {
        let advice = command.after_interruption(&context.settings);
        // Before the command says a word: a signal that nobody listens for yet would be lost.
        let signals = signals();
        tokio::select! {
            result = command.run(context) => result,
            error = interrupted(signals) => Err(match context.advice().or(advice) {
                Some(advice) => error.hint(advice),
                None => error,
            }),
        }
    })
}

/// SIGINT and SIGTERM, from now on.
fn signals() -> std::io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
}

/// Resolves on SIGINT or SIGTERM.
async fn interrupted(signals: std::io::Result<(Signal, Signal)>) -> Error {
    let (mut interrupt, mut terminate) = match signals {
        Ok(signals) => signals,
        Err(error) => return Error::failed("Signals cannot be received.").cause(error),
    };
    let number = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
    };
    Error::new(Kind::Interrupted(number), "Interrupted.")
}
