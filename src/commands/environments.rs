//! What `up` and `regenerate` print: of one environment its outputs, of several a line each.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::context::Context;
use super::several::SeveralArgs;
use crate::aws::stack::Action;
use crate::environment::Environment;
use crate::error::{self, Error, Result};
use crate::setup::{Converged, EnvironmentUp, Up};
use crate::ui::{BAD, GOOD, paint};

/// One environment, or several.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Environments {
    One(One),
    Several(Several),
}

#[derive(Debug, Serialize)]
pub(super) struct One {
    environment: Environment,
    changed: bool,
    network: StackSummary,
    workshop: StackSummary,
    #[serde(skip)]
    verb: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Several {
    changed: bool,
    failed: usize,
    network: StackSummary,
    environments: Vec<OneOfSeveral>,
    #[serde(skip)]
    verb: &'static str,
}

#[derive(Debug, Serialize)]
struct OneOfSeveral {
    environment: Environment,
    changed: bool,
    /// `null` when it failed.
    workshop: Option<StackSummary>,
    /// `null` when it did not.
    error: Option<error::Document>,
}

/// A stack's name, status and outputs.
#[derive(Debug, Serialize)]
struct StackSummary {
    stack: String,
    /// What was done.
    action: Action,
    status: String,
    outputs: BTreeMap<String, String>,
}

impl Environments {
    /// `verb` says what was done, e.g. `set up`. Those that were counted are a list, be it of one: a script that counts must
    /// not meet another shape at 1.
    pub(super) fn of(up: &Up, verb: &'static str, several: &SeveralArgs, context: &Context) -> Self {
        let (network, changed) = (StackSummary::of(&up.network), up.changed());
        if let [EnvironmentUp { environment, result: Ok(made) }] = up.environments.as_slice()
            && !several.are_counted()
        {
            let environment = environment.clone();
            return Self::One(One { environment, changed, network, workshop: StackSummary::of(made), verb });
        }
        let environments = up.environments.iter().map(|EnvironmentUp { environment, result }| OneOfSeveral {
            environment: environment.clone(),
            changed: result.as_ref().is_ok_and(|made| made.action != Action::None),
            workshop: result.as_ref().ok().map(StackSummary::of),
            error: result.as_ref().err().map(|error| context.ui.document(error, context.settings.target)),
        });
        let environments: Vec<_> = environments.collect();
        let failed = environments.iter().filter(|it| it.error.is_some()).count();
        Self::Several(Several { changed, failed, network, environments, verb })
    }
}

/// Prints the result; the environments that failed follow as errors.
///
/// # Errors
/// When an environment failed.
pub(super) fn report(context: &Context, environments: &Environments, up: &Up) -> Result<()> {
    context.ui.result(environments)?;
    let failures = up.environments.iter().filter_map(|it| Some((&it.environment, it.result.as_ref().err()?)));
    let (failed, failures): (Vec<_>, Vec<_>) = failures.unzip();
    for failure in failures {
        context.ui.error(failure, context.settings.target);
    }
    if failed.is_empty() {
        return Ok(());
    }
    let all = up.environments.len();
    let flags: String = failed.iter().map(|environment| environment.flag()).collect();
    // `--all` does not find one whose stack is gone meanwhile.
    Err(Error::failed(format!("{} of {all} environments failed; the others are ready.", failed.len()))
        .hint(format!("The same command for those that failed (`{}`) takes up where this one ended.", flags.trim())))
}

impl StackSummary {
    fn of(converged: &Converged) -> Self {
        let Converged { stack, action } = converged.clone();
        Self { stack: stack.name, action, status: stack.status.to_string(), outputs: stack.outputs }
    }
}

impl fmt::Display for Environments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => one.fmt(f),
            Self::Several(several) => several.fmt(f),
        }
    }
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, verb, .. } = self;
        if self.changed {
            writeln!(f, "The environment {environment} is {verb}.")?;
        } else {
            writeln!(f, "The environment {environment} is {verb} already; nothing was changed.")?;
        }
        for key in ["ClusterName", "TableName", "ExperimentTemplateId"] {
            if let Some(value) = self.workshop.outputs.get(key) {
                writeln!(f, "  {key:<21} {value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for OneOfSeveral { environment, changed, error, .. } in &self.environments {
            match error {
                Some(_) => writeln!(f, "{} {environment}: failed", paint(BAD, '✗'))?,
                None if *changed => writeln!(f, "{} {environment}: {}", paint(GOOD, '✓'), self.verb)?,
                None => writeln!(f, "{} {environment}: {} already", paint(GOOD, '✓'), self.verb)?,
            }
        }
        let ready = self.environments.len() - self.failed;
        writeln!(f, "{ready} of {} environments are {}.", self.environments.len(), self.verb)
    }
}
