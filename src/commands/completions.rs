//! `completions`, and the answers to the shells that have read its script: a key press asks the program itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Command, CommandFactory, FromArgMatches};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use tokio::time::timeout;

use super::{Cli, Context};
use crate::aws::clients::Clients;
use crate::aws::stack;
use crate::endpoint::StateDir;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::settings::{FileSettings, GlobalArgs, Settings};
use crate::target::Target;

const PROGRAM: &str = "fis-workshop";

/// How the script asks.
const VARIABLE: &str = "COMPLETE";

/// Somebody has pressed a key and waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Print the script that completes commands in a shell
///
/// The shell then asks this program for commands, options, values, and the names of the environments that exist.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(fis-workshop completions bash)\"      In ~/.bashrc
  eval \"$(fis-workshop completions zsh)\"       In ~/.zshrc, after compinit
  fis-workshop completions fish | source       In ~/.config/fish/config.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(context: &Context, args: CompletionsArgs) -> Result<u8> {
    let shells = Shells::builtins();
    let shell = shells
        .completer(&args.shell.to_string())
        .ok_or_else(|| Error::usage(format!("There is no completion for {}.", args.shell)))?;
    let failed = |error: std::io::Error| Error::failed("The script cannot be written.").cause(error);
    let program = program().map_err(failed)?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, &program.to_string_lossy(), &mut script).map_err(failed)?;
    context.ui.data(String::from_utf8_lossy(&script).trim_matches('\n'))?;
    Ok(0)
}

/// What the script calls: the name alone where the PATH leads to it, so that another version is found there, too.
fn program() -> std::io::Result<PathBuf> {
    let called = std::env::args_os().next().map_or_else(|| PROGRAM.into(), PathBuf::from);
    if called.parent() == Some(Path::new("")) { Ok(called) } else { std::path::absolute(called) }
}

/// Answers the shell if it is one that asks, and says whether it was.
///
/// # Errors
/// When it is no shell that is known.
pub(crate) fn answer() -> clap::error::Result<bool> {
    let directory = std::env::current_dir().ok();
    let answers = CompleteEnv::with_factory(command).var(VARIABLE);
    answers.try_complete(std::env::args_os(), directory.as_deref())
}

fn command() -> Command {
    Cli::command().mut_arg("env", |env| env.add(ArgValueCandidates::new(environments)))
}

/// The environments that exist; none where that takes too long, or fails.
fn environments() -> Vec<CompletionCandidate> {
    let settings = settings_so_far();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let known = runtime.block_on(async { timeout(PATIENCE, existing(&settings?)).await.ok()?.ok() });
    // A name that is still being looked up would hold up the end.
    runtime.shutdown_background();
    known.unwrap_or_default().iter().map(|environment| CompletionCandidate::new(environment.to_string())).collect()
}

/// The settings as far as they are typed: the last word, and what is missing, are no mistakes yet.
fn settings_so_far() -> Option<Settings> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let typed = GlobalArgs::from_arg_matches(&matches).ok()?;
    let file = FileSettings::load(&std::env::current_dir().ok()?).ok()?;
    Settings::resolve(typed, file).ok()
}

/// Starts nothing: without an endpoint there is nothing to choose from.
async fn existing(settings: &Settings) -> Result<Vec<Environment>> {
    let clients = match settings.target {
        Target::Aws => Clients::aws(settings).await?,
        Target::Local => match StateDir::new(&settings.state_dir).running()? {
            Some(record) => Clients::local(settings, &record)?,
            None => return Ok(Vec::new()),
        },
    };
    let stacks = stack::all(&clients).await?;
    Ok(stacks.iter().filter_map(|stack| Environment::of_stack(&stack.name)).collect())
}
