//! Parameters: what the template declares, and the values that a call gives.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Template;
use crate::error::ApiError;

/// A member of the `Parameters` section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// As written, e.g. `List<AWS::EC2::Subnet::Id>`; the AWS-specific types are checked for syntax only.
    pub(crate) parameter_type: String,
    pub(crate) default: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) no_echo: bool,
    pub(crate) allowed_values: Vec<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) constraint_description: Option<String>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_value: Option<f64>,
    pub(crate) max_value: Option<f64>,
}

/// What a call says of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Value(String),
    /// `UsePreviousValue`.
    Previous,
}

/// The value of every parameter of a template, checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Parameters {
    values: BTreeMap<String, Bound>,
}

#[derive(Debug, Clone, PartialEq)]
struct Bound {
    text: String,
    value: Value,
    no_echo: bool,
}

impl Parameters {
    /// What `Ref` gives: a string, or a list of strings for the list types.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|bound| &bound.value)
    }

    /// The values as they were given, for the stack's record (`previous` of the next [`bind`]).
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(name, bound)| (name.clone(), bound.text.clone())).collect()
    }

    /// The values as read calls show them: `****` for `NoEcho`.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        self.values
            .iter()
            .map(|(name, bound)| (name.clone(), if bound.no_echo { "****".to_owned() } else { bound.text.clone() }))
            .collect()
    }
}

/// The values of the template's parameters: given, previous (only where the call says so), or default.
///
/// # Errors
/// `ValidationError` with AWS's words when a value is missing, unasked for, or breaks a constraint.
pub(crate) fn bind(
    _template: &Template,
    _given: &BTreeMap<String, Given>,
    _previous: Option<&BTreeMap<String, String>>,
) -> Result<Parameters, ApiError> {
    unimplemented!()
}
