//! Where in the template something is, and the errors that say so.

use std::fmt;

use crate::error::ApiError;

/// A path such as `Resources/Table/Properties/KeySchema/0`, built while walking down without allocating.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// The place of a whole section, or any other beginning.
    pub(crate) fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    pub(crate) fn member(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    pub(crate) fn item(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// The section of the template that this is in.
    pub(super) fn section(&self) -> &str {
        match (self.parent, self.step) {
            (Some(parent), _) => parent.section(),
            (None, Step::Name(name)) => name,
            (None, Step::Index(_)) => "",
        }
    }

    /// A `ValidationError` with AWS's words, and this place behind them.
    pub(crate) fn error(&self, message: impl fmt::Display) -> ApiError {
        invalid(format!("{message} ({self})"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}/")?;
        }
        match self.step {
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "{index}"),
        }
    }
}

/// CloudFormation has one code for everything that is wrong with a template or a parameter.
pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}
