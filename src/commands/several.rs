//! The environments of a command that takes several.

use clap::Args;

use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::settings::Settings;

/// Which environments, besides `--env`, which may be repeated.
#[derive(Debug, Clone, Args)]
pub(crate) struct SeveralArgs {
    /// Number of environments, named PREFIX-01, PREFIX-02, ...
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=500))]
    count: Option<u16>,
    /// Start of their names
    #[arg(long, value_name = "PREFIX", default_value = "seat", requires = "count")]
    prefix: String,
    /// Maximum number to work on at once
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    parallel: u16,
}

impl SeveralArgs {
    /// The environments that are meant; the default one if none is named.
    ///
    /// # Errors
    /// When they are named in two ways, or the prefix makes no names.
    pub(crate) fn environments(&self, settings: &Settings) -> Result<Vec<Environment>> {
        match (self.count, settings.named_environments.as_slice()) {
            (None, []) => Ok(vec![Environment::default()]),
            (None, named) => Ok(named.to_vec()),
            (Some(count), []) => Environment::numbered(&self.prefix, count).map_err(|rule| {
                Error::usage(format!("The prefix {:?} makes no environments.", self.prefix)).cause(rule)
            }),
            (Some(_), _) => Err(Error::usage("Environments are named by `--env` or counted by `--count`, not both.")
                .hint("`FIS_WORKSHOP_ENV` and `env` in fis-workshop.toml name some, too.")),
        }
    }

    /// Whether they are counted and not named.
    pub(crate) fn are_counted(&self) -> bool {
        self.count.is_some()
    }

    /// How many to work on at once.
    pub(crate) fn parallel(&self) -> usize {
        usize::from(self.parallel)
    }

    /// What names the same environments in another command.
    pub(crate) fn flags(&self, settings: &Settings) -> String {
        match self.count {
            Some(count) => format!(" --count {count} --prefix {}", self.prefix),
            None => settings.named_environments.iter().map(Environment::flag).collect(),
        }
    }
}
