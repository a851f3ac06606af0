//! The command line: one verb, one file.

pub(crate) mod clear;
pub(crate) mod completions;
mod context;
pub(crate) mod doctor;
pub(crate) mod down;
mod environments;
mod existing;
pub(crate) mod image;
pub(crate) mod interrupt;
pub(crate) mod items;
pub(crate) mod lab;
pub(crate) mod local;
pub(crate) mod logs;
pub(crate) mod man;
mod numbers;
mod outcome;
pub(crate) mod plan;
pub(crate) mod prove;
pub(crate) mod regenerate;
pub(crate) mod render;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod several;
pub(crate) mod source;
pub(crate) mod status;
pub(crate) mod r#try;
pub(crate) mod up;
mod usage;
pub(crate) mod watch;
mod worker;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use context::Context;
pub(crate) use usage::explained;

use self::regenerate::RegenerateArgs;
use self::up::UpArgs;
use crate::environment::Environment;
use crate::error::Result;
use crate::lab::variant::own;
use crate::settings::{GlobalArgs, Settings};

const EXAMPLES: &str = "\
Examples:
  fis-workshop lab                      The whole lab, checked, on this machine
  fis-workshop up                       Set up the lab
  fis-workshop run original             Run the original worker, follow its log
  fis-workshop interrupt --at-index 4   Stop it, from another terminal
  fis-workshop items                    What is in the table now
  fis-workshop down                     Take everything down

Global options can also be set in the environment or in `fis-workshop.toml`.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the hypothesis did not hold,
4 something survived `down`, 130 interrupted; `run` ends with its task's code.";

/// Set up, run, break, observe and tear down one chaos-engineering lab
///
/// A batch job runs as an Amazon ECS task. An AWS FIS experiment stops it. Does it complete when it is run again?
/// The lab runs on this machine, against an embedded AWS-compatible endpoint, unless you write `--target aws`.
#[derive(Debug, Parser)]
#[command(name = "fis-workshop", version = env!("FIS_WORKSHOP_VERSION"), after_long_help = EXAMPLES, max_term_width = 100)]
#[command(disable_version_flag = true)]
// In the short help of a verb, its own options are to be seen.
#[command(mut_args(|global| global.hide_short_help(true)))]
pub(crate) struct Cli {
    /// Print version
    // As clap has it, but that the short help needs the line for a verb.
    #[arg(short = 'V', long, action = ArgAction::Version, hide_short_help = true)]
    version: Option<bool>,
    /// Global options.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// The verb.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::UpArgs),
    Plan(plan::PlanArgs),
    // `start` and `stop` get a tip instead: whoever types `stop` may not want to delete, which is what `down` does.
    #[command(aliases = ["ls", "list"])]
    Status(status::StatusArgs),
    Watch(watch::WatchArgs),
    Run(run::RunArgs),
    Try(r#try::TryArgs),
    Interrupt(interrupt::InterruptArgs),
    Logs(logs::LogsArgs),
    Items(items::ItemsArgs),
    Clear(clear::ClearArgs),
    Lab(lab::LabArgs),
    Report(report::ReportArgs),
    Replay(replay::ReplayArgs),
    Runs(runs::RunsArgs),
    Prove(prove::ProveArgs),
    Regenerate(regenerate::RegenerateArgs),
    Down(down::DownArgs),
    Image(image::ImageCommandArgs),
    Doctor(doctor::DoctorArgs),
    Render(render::RenderArgs),
    Source(source::SourceArgs),
    Local(local::LocalArgs),
    // For who installs and who packs the program: the others are to fit on a screen.
    #[command(hide = true)]
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    Man(man::ManArgs),
}

impl Command {
    /// Does what the verb says; the exit code is its success.
    pub(crate) async fn run(self, context: &Context) -> Result<u8> {
        match self {
            Self::Up(args) => up::run(context, args).await,
            Self::Plan(args) => plan::run(context, args).await,
            Self::Status(args) => status::run(context, args).await,
            Self::Watch(args) => watch::run(context, args).await,
            Self::Run(args) => run::run(context, args).await,
            Self::Try(args) => r#try::run(context, args).await,
            Self::Interrupt(args) => interrupt::run(context, args).await,
            Self::Logs(args) => logs::run(context, args).await,
            Self::Items(args) => items::run(context, args).await,
            Self::Clear(args) => clear::run(context, args).await,
            Self::Lab(args) => lab::run(context, args).await,
            Self::Report(args) => report::run(context, args),
            Self::Replay(args) => replay::run(context, args).await,
            Self::Runs(args) => runs::run(context, args).await,
            Self::Prove(args) => prove::run(context, args).await,
            Self::Regenerate(args) => regenerate::run(context, args).await,
            Self::Down(args) => down::run(context, args).await,
            Self::Image(args) => image::run(context, args).await,
            Self::Doctor(args) => doctor::run(context, args).await,
            Self::Render(args) => render::run(context, args),
            Self::Source(args) => source::run(context, args),
            Self::Local(args) => local::run(context, args).await,
            Self::Completions(args) => completions::run(context, args),
            Self::Man(args) => man::run(context, args),
        }
    }

    /// Whether this is the endpoint itself.
    pub(crate) fn is_serve(&self) -> bool {
        self.serve_args().is_some()
    }

    /// The arguments of the endpoint itself.
    pub(crate) fn serve_args(&self) -> Option<&local::ServeCommand> {
        match self {
            Self::Local(args) => args.serve_args(),
            _ => None,
        }
    }

    /// How to go on after Ctrl-C, unless the command has said otherwise meanwhile.
    pub(crate) fn after_interruption(&self, settings: &Settings) -> Option<String> {
        let flag = settings.named_environments.first().cloned().unwrap_or_default().flag();
        match self {
            Self::Up(UpArgs { several, .. }) => Some(format!(
                "CloudFormation goes on; `fis-workshop up{}` follows it and completes the rest.",
                several.flags(settings)
            )),
            Self::Regenerate(RegenerateArgs { several, .. }) => Some(format!(
                "CloudFormation goes on; `fis-workshop up{}` follows it and completes the rest.",
                several.flags(settings)
            )),
            Self::Down(args) => Some(format!(
                "CloudFormation goes on; `fis-workshop down{}` follows it and removes the rest.",
                args.flags(settings)
            )),
            Self::Run(args) => Some(format!(
                "The task goes on: `fis-workshop logs {}{flag} --follow` follows it, `fis-workshop interrupt{flag}` stops it by an experiment.",
                args.name()
            )),
            Self::Try(_) => Some(format!(
                "Your worker goes on: `fis-workshop logs {}{flag} --follow` follows it, `fis-workshop interrupt{flag}` stops it by an experiment.",
                own::NAME
            )),
            Self::Prove(_) => Some("Its endpoint and all that ran in it are gone.".to_owned()),
            Self::Interrupt(_) => Some("Nothing was started.".to_owned()),
            Self::Lab(_) => {
                let environment = settings.named_environments.first().cloned().unwrap_or_else(Environment::lab);
                Some(format!("What the lab has set up stays: `fis-workshop down{}` takes it down.", environment.flag()))
            }
            _ => None,
        }
    }
}
