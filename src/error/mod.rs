//! The one error type at the edge: what failed, why (root cause first), what to do, and with which exit code.

mod aws;
mod remedy;

pub(crate) use aws::{Doing, root_cause};

use std::fmt;

use serde::Serialize;

use remedy::Remedy;

use crate::target::Target;

/// What every fallible function of the deployer returns.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What a failure means for the caller of the program; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something did not work: 1.
    Failed,
    /// The command line, a variable or the settings file is wrong: 2.
    Usage,
    /// The lab ran, and its hypothesis or an invariant did not hold: 3.
    HypothesisFailed,
    /// `down` could not remove everything: 4.
    Survivors,
    /// Ctrl-C or SIGTERM; 128 + the number of the signal, as a shell reports it.
    Interrupted(i32),
    /// The reader of our output is gone (`| head`); nobody is left to tell, and nothing is wrong: 0.
    OutputClosed,
}

impl Kind {
    /// The exit code of the process.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::HypothesisFailed => 3,
            Self::Survivors => 4,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

/// A failure in JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Document {
    pub(crate) message: String,
    /// Why, root cause first.
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

/// A failure on its way to the user.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    /// Root cause first.
    causes: Vec<String>,
    hints: Vec<String>,
    remedy: Option<Remedy>,
    /// AWS's code of the refusal, for the callers that know what to make of it.
    code: Option<String>,
}

impl Error {
    /// A failure of `kind`; `message` is one full sentence.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new(), remedy: None, code: None }
    }

    /// Something did not work.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// The user asked for something that cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a cause behind those that are known already: the root cause is the first that is added.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The other side did not answer at all: what to do about it depends on the target.
    #[must_use]
    pub(crate) fn unreachable(mut self) -> Self {
        self.remedy = Some(Remedy::Connection);
        self
    }

    /// Adds the remedy for what CloudFormation names as the reason of a resource's failure: there, the code of AWS's
    /// refusal is part of a text.
    #[must_use]
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.remedy = self.remedy.or_else(|| Remedy::of_reason(reason));
        self
    }

    /// What the failure means.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The exit code that it leads to.
    pub(crate) fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// Whether AWS refused with one of these codes.
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// AWS's own words, when it was AWS that refused.
    pub(crate) fn aws_message(&self) -> &str {
        self.causes.first().map_or("", String::as_str)
    }

    /// Whether the endpoint could not be reached at all.
    pub(crate) fn is_connection(&self) -> bool {
        matches!(self.remedy, Some(Remedy::Connection | Remedy::Region))
    }

    /// The same for machines.
    pub(crate) fn document(&self, target: Target) -> Document {
        let remedy = self.remedy.map(|remedy| remedy.hint(target).to_owned());
        let hints = self.hints.iter().cloned().chain(remedy).collect();
        Document { message: self.message.clone(), causes: self.causes.clone(), hints }
    }

    /// What to do about it, in one line.
    pub(crate) fn advice(&self, target: Target) -> Option<String> {
        let remedy = self.remedy.map(|remedy| remedy.hint(target).to_owned());
        let all: Vec<_> = self.hints.iter().cloned().chain(remedy).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// What failed, why, and what to do about it, in one line.
    pub(crate) fn told(&self, target: Target) -> String {
        let advice = self.advice(target).map(|advice| format!(" {advice}")).unwrap_or_default();
        format!("{self}{advice}")
    }

    /// Message, causes and hints, each on a line of its own, as they are printed after `error: `.
    pub(crate) fn report(&self, target: Target) -> String {
        let mut text = self.message.clone();
        for (index, cause) in self.causes.iter().enumerate() {
            let label = if index == 0 { "cause" } else { "  led to" };
            text.push_str(&format!("\n  {label}: {cause}"));
        }
        let remedy = self.remedy.map(|remedy| remedy.hint(target).to_owned());
        for hint in self.hints.iter().cloned().chain(remedy) {
            text.push_str(&format!("\n  hint: {hint}"));
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for Error {}

impl From<local_aws::ApiError> for Error {
    fn from(error: local_aws::ApiError) -> Self {
        Self::failed(error.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_root_cause_first_and_the_hints_last() {
        let error = Error::failed("The stack was not created.")
            .cause("Table: name taken")
            .cause("Stack: rolled back")
            .hint("Choose another name.");
        assert_eq!(
            error.report(Target::Local),
            "The stack was not created.\n  cause: Table: name taken\n    led to: Stack: rolled back\n  hint: Choose another name."
        );
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [Kind::Failed, Kind::Usage, Kind::HypothesisFailed, Kind::Survivors, Kind::Interrupted(2)]
            .map(Kind::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 130]);
    }
}
