//! Preflight: what would stand in the way of `up`, found before anything is spent. Nothing is changed here.

mod account;
mod identity;
mod machine;
mod permissions;
mod quotas;
mod watchdog;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;

use crate::aws::clients::Clients;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::target::Target;
use crate::ui::{BAD, FAINT, GOOD, NOTICE, paint};

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Not as it should be, or not to be seen; `up` may succeed all the same.
    Warning,
    /// `up` would fail.
    Problem,
}

/// What was looked at, and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    pub(crate) check: &'static str,
    pub(crate) level: Level,
    pub(crate) found: String,
    pub(crate) remedy: Option<String>,
}

impl Check {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), remedy: None }
    }

    fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn problem(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, ..Self::warning(check, found, remedy) }
    }

    /// A question that AWS did not answer.
    fn failed(check: &'static str, level: Level, error: &Error) -> Self {
        let found = if error.aws_message().is_empty() { error.to_string() } else { error.aws_message().to_owned() };
        Self { check, level, found, remedy: error.advice(Target::Aws) }
    }
}

/// All that was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// In the order of their dependence: a root cause comes first.
    pub(crate) checks: Vec<Check>,
    pub(crate) problems: usize,
    pub(crate) warnings: usize,
}

impl Report {
    fn of(checks: Vec<Check>) -> Self {
        let count = |level| checks.iter().filter(|check| check.level == level).count();
        let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
        Self { checks, problems, warnings }
    }
}

/// Looks at everything that `up` of these environments needs.
pub(crate) async fn examine(settings: &Settings, environments: &[Environment]) -> Report {
    if settings.is_local() {
        return Report::of(machine::local(settings));
    }
    let clients = match Clients::aws(settings).await {
        Ok(clients) => clients,
        Err(error) => return Report::of(vec![Check::failed("region", Level::Problem, &error), machine::images()]),
    };
    let (mut checks, caller) = identity::checks(&clients).await;
    // Without credentials each other answer would be the same refusal once more.
    if let Some(caller) = caller {
        let (account, quotas, permissions, watchdogs) = tokio::join!(
            account::checks(&clients),
            bounded("quotas", quotas::checks(&clients, environments)),
            bounded("permissions", permissions::check(&clients, &caller, environments)),
            bounded("watchdog", watchdog::checks(&clients, environments)),
        );
        checks.extend(account.into_iter().chain(quotas).chain(permissions).chain(watchdogs));
    }
    checks.push(machine::images());
    Report::of(checks)
}

/// The cheap part: whose credentials, whether the region exists and has FIS, whether the clock is right. Without FIS the
/// network would be made, and cost money, before the environment's stack is refused.
///
/// # Errors
/// The first problem, as an error that ends a command.
pub(crate) async fn cheap(clients: &Clients) -> Result<()> {
    let ((checks, _), fis) = tokio::join!(identity::checks(clients), account::fis(clients));
    match checks.into_iter().chain([fis]).find(|check| check.level == Level::Problem) {
        None => Ok(()),
        Some(check) => {
            let error =
                Error::failed(format!("AWS cannot be used ({}); nothing was changed.", check.check)).cause(check.found);
            Err(match check.remedy {
                Some(remedy) => error.hint(remedy),
                None => error,
            })
        }
    }
}

/// The checks, or that they took too long.
async fn bounded(check: &'static str, checks: impl Future<Output = Vec<Check>>) -> Vec<Check> {
    tokio::time::timeout(PATIENCE, checks).await.unwrap_or_else(|_| {
        let found = format!("no answer within {} seconds", PATIENCE.as_secs());
        vec![Check::warning(check, found, "Check the network connection, then repeat `fis-workshop doctor`.")]
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let (style, word) = match check.level {
                Level::Ok => (GOOD, "ok"),
                Level::Warning => (NOTICE, "warning"),
                Level::Problem => (BAD, "problem"),
            };
            writeln!(f, "{} {}: {}", paint(style, format_args!("{word:<8}")), check.check, check.found)?;
            if let Some(remedy) = &check.remedy {
                writeln!(f, "         {} {remedy}", paint(FAINT, "->"))?;
            }
        }
        writeln!(f, "problems: {}, warnings: {}", self.problems, self.warnings)
    }
}
