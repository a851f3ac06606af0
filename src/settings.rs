//! Settings in two stages: what was said ([`GlobalArgs`], [`FileSettings`]), and the one resolved value ([`Settings`]).
//!
//! A flag wins over its environment variable, which wins over `fis-workshop.toml` in the current directory, which
//! wins over the default. All environment variables that the deployer reads itself are in this file; on
//! AWS the SDK reads its own (`AWS_PROFILE`, ...) as well.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::target::Target;

/// Name of the settings file in the current directory.
pub(crate) const SETTINGS_FILE: &str = "fis-workshop.toml";

/// Variable with what to log on stderr, e.g. `debug` or `local_aws=debug`: of the endpoint, and of any command.
pub(crate) const LOG_VARIABLE: &str = "FIS_WORKSHOP_LOG";

/// Variable with the port of `local start`.
pub(crate) const PORT_VARIABLE: &str = "FIS_WORKSHOP_PORT";

/// What a command prints on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The flags that every command takes, as they were given.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Where the lab runs [default: local]
    #[arg(long, global = true, env = "FIS_WORKSHOP_TARGET", hide_env_values = true, value_name = "TARGET")]
    target: Option<Target>,

    /// Name of the environment; repeat it, or separate names by commas, where a command takes several. `default` has
    /// the names of the workshop guide [default: default]
    #[arg(
        long,
        global = true,
        env = "FIS_WORKSHOP_ENV",
        hide_env_values = true,
        value_name = "NAME",
        value_delimiter = ','
    )]
    env: Vec<Environment>,

    /// AWS region [default: that of the local endpoint, or of the AWS profile]
    #[arg(long, global = true, env = "FIS_WORKSHOP_REGION", hide_env_values = true, value_name = "REGION")]
    region: Option<String>,

    /// Profile of the AWS configuration files, for `--target aws`
    #[arg(long, global = true, env = "FIS_WORKSHOP_PROFILE", hide_env_values = true, value_name = "NAME")]
    profile: Option<String>,

    /// What to print on stdout [default: text]
    #[arg(long, global = true, env = "FIS_WORKSHOP_OUTPUT", hide_env_values = true, value_name = "FORMAT")]
    output: Option<Output>,

    /// When to use colour [default: auto]
    #[arg(long, global = true, env = "FIS_WORKSHOP_COLOR", hide_env_values = true, value_name = "WHEN")]
    color: Option<Color>,

    /// Where the local endpoint keeps its state [default: the platform's directory for state]
    #[arg(long, global = true, env = "FIS_WORKSHOP_STATE_DIR", hide_env_values = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Do not ask for confirmation, as commands do on AWS, and `local reset` on a terminal
    #[arg(
        long,
        short = 'y',
        global = true,
        env = "FIS_WORKSHOP_YES",
        hide_env_values = true,
        value_parser = clap::builder::BoolishValueParser::new(),
        action = clap::ArgAction::SetTrue
    )]
    yes: bool,
}

impl GlobalArgs {
    fn place(&self) -> Place {
        let mut place = Place::default();
        let target = self.target.and_then(|target| Some(target.to_possible_value()?.get_name().to_owned()));
        // Of several environments, a message means one, and names it itself.
        if let [one] = self.env.as_slice() {
            place.note("--env", "FIS_WORKSHOP_ENV", Some(one.to_string()));
        }
        place.note("--target", "FIS_WORKSHOP_TARGET", target);
        place.note("--region", "FIS_WORKSHOP_REGION", self.region.clone());
        place.note("--profile", "FIS_WORKSHOP_PROFILE", self.profile.clone());
        let state_dir = self.state_dir.as_ref().map(|directory| directory.display().to_string());
        place.note("--state-dir", "FIS_WORKSHOP_STATE_DIR", state_dir);
        place
    }
}

/// The same settings in `fis-workshop.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileSettings {
    target: Option<Target>,
    env: Option<Names>,
    region: Option<String>,
    profile: Option<String>,
    output: Option<Output>,
    color: Option<Color>,
    state_dir: Option<PathBuf>,
    worker: Option<OwnWorker>,
}

/// A worker of one's own: its command here, its image for AWS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OwnWorker {
    /// What commands call it, besides `own`.
    pub(crate) name: Option<String>,
    pub(crate) command: Option<CommandLine>,
    pub(crate) image: Option<String>,
}

/// As a shell takes it, or word by word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "neither a command line nor a list of its words")]
pub(crate) enum CommandLine {
    Line(String),
    Words(Vec<String>),
}

impl CommandLine {
    /// Its words; `None` when a quotation mark is not closed.
    pub(crate) fn words(&self) -> Option<Vec<String>> {
        match self {
            Self::Line(line) => shlex::split(line),
            Self::Words(words) => Some(words.clone()),
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => f.write_str(line),
            Self::Words(words) => f.write_str(&words.join(" ")),
        }
    }
}

/// One environment, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "not a name of 1 to 32 letters, digits and inner hyphens, nor a list of such names")]
enum Names {
    One(Environment),
    Several(Vec<Environment>),
}

impl FileSettings {
    /// Reads the file in `directory`, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, or says something that is no setting.
    pub(crate) fn load(directory: &Path) -> Result<Self> {
        let path = directory.join(SETTINGS_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::usage(format!("{SETTINGS_FILE} cannot be read.")).cause(error)),
        };
        toml::from_str(&text).map_err(|error| {
            Error::usage(format!("{SETTINGS_FILE} in the current directory is not valid."))
                .cause(error.to_string().trim_end())
                .hint("Its keys are target, env, region, profile, output, color and state-dir; [worker] has name, command and image.")
        })
    }

    /// What the worker of one's own is called.
    pub(crate) fn worker_name(&self) -> Option<&str> {
        self.worker.as_ref()?.name.as_deref()
    }
}

/// What the rest of the program goes by.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where the lab runs.
    pub(crate) target: Target,
    /// The environments that were named, each once, if any was: `lab` has another default than the rest.
    pub(crate) named_environments: Vec<Environment>,
    /// Region that was asked for.
    pub(crate) region: Option<String>,
    /// Profile that was asked for.
    pub(crate) profile: Option<String>,
    /// Form of the data on stdout.
    pub(crate) output: Output,
    /// When to use colour.
    pub(crate) color: Color,
    /// State of the local endpoint.
    pub(crate) state_dir: PathBuf,
    /// The worker of one's own, if the settings file has one.
    pub(crate) worker: Option<OwnWorker>,
    /// Confirmation was given on the command line.
    pub(crate) yes: bool,
    /// The flags that said so, for commands in messages.
    pub(crate) place: Place,
}

impl Settings {
    /// Precedence: flags, variables, file, defaults.
    ///
    /// # Errors
    /// When the platform has no directory for state and none was named.
    pub(crate) fn resolve(args: GlobalArgs, file: FileSettings) -> Result<Self> {
        let place = args.place();
        let state_dir = match args.state_dir.or(file.state_dir) {
            Some(directory) => std::path::absolute(&directory).map_err(|error| {
                Error::usage(format!("The state directory {} is not a valid path.", directory.display())).cause(error)
            })?,
            None => platform_state_dir()?,
        };
        let mut named_environments = Vec::new();
        let environments = match file.env {
            Some(Names::One(environment)) if args.env.is_empty() => vec![environment],
            Some(Names::Several(environments)) if args.env.is_empty() => environments,
            _ => args.env,
        };
        for environment in environments {
            if !named_environments.contains(&environment) {
                named_environments.push(environment);
            }
        }
        Ok(Self {
            target: args.target.or(file.target).unwrap_or_default(),
            named_environments,
            region: args.region.or(file.region),
            profile: args.profile.or(file.profile),
            output: args.output.or(file.output).unwrap_or_default(),
            color: args.color.or(file.color).unwrap_or_default(),
            state_dir,
            worker: file.worker,
            yes: args.yes,
            place,
        })
    }

    /// The one environment that was named, or the default one.
    ///
    /// # Errors
    /// When several were named, which not every command takes.
    pub(crate) fn environment(&self) -> Result<Environment> {
        Ok(self.named_environment()?.unwrap_or_default())
    }

    /// The one environment that was named, if one was.
    ///
    /// # Errors
    /// When several were named.
    pub(crate) fn named_environment(&self) -> Result<Option<Environment>> {
        match self.named_environments.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let names: Vec<_> = several.iter().map(ToString::to_string).collect();
                Err(Error::usage(format!("This command works in one environment; {} were named.", names.join(", ")))
                    .hint("`up`, `plan`, `status`, `regenerate`, `doctor` and `down` take several."))
            }
        }
    }

    /// Whether the lab runs on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.target == Target::Local
    }
}

fn platform_state_dir() -> Result<PathBuf> {
    let strategy = etcetera::base_strategy::choose_native_strategy().map_err(|error| {
        Error::usage("There is no home directory to keep the state in.")
            .cause(error)
            .hint("Name a directory with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`.")
    })?;
    // macOS has no directory for state; its application support directory is what etcetera calls data.
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("fis-workshop"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_which_wins_over_the_default() {
        let file: FileSettings = toml::from_str("target = 'aws'\nregion = 'eu-west-1'\nenv = 'team'").unwrap();
        let args = GlobalArgs { region: Some("us-west-2".into()), state_dir: Some("/s".into()), ..Default::default() };
        let settings = Settings::resolve(args, file).unwrap();
        assert_eq!(settings.target, Target::Aws);
        assert_eq!(settings.region.as_deref(), Some("us-west-2"));
        assert_eq!(settings.environment().unwrap().to_string(), "team");
        assert_eq!(settings.output, Output::Text);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(SETTINGS_FILE), "tarket = 'aws'").unwrap();
        let error = FileSettings::load(dir.path()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("tarket"), "{error}");
    }
}
