//! A scope turns what a template says into values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Environment, Parameters, Place, Template};
use crate::cloudformation::resources::{Created, Properties};
use crate::error::ApiError;

/// Gives the value of an export of the account; every call is an import by this stack.
pub(crate) type Exports<'a> = dyn Fn(&str) -> Result<Option<String>, ApiError> + 'a;

/// Everything that functions refer to.
pub(crate) struct Scope<'a> {
    pub(crate) template: &'a Template,
    pub(crate) environment: &'a Environment,
    pub(crate) parameters: &'a Parameters,
    /// From `conditions::evaluate`.
    pub(crate) conditions: &'a BTreeMap<String, bool>,
    /// Resources that are there (for a plan: and that will not be replaced).
    pub(crate) created: &'a BTreeMap<String, Created>,
    pub(crate) exports: &'a Exports<'a>,
    /// A plan takes what is not there yet as an unknown value; otherwise that is an error.
    pub(crate) plan: bool,
}

/// An output of the stack.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export_name: Option<String>,
}

impl Scope<'_> {
    /// The value; `None` for `AWS::NoValue`.
    pub(crate) fn resolve(&self, _place: &Place<'_>, _value: &Value) -> Result<Option<Value>, ApiError> {
        unimplemented!()
    }

    /// The properties of a resource, not coerced to its schema yet.
    pub(crate) fn properties(&self, _logical_id: &str) -> Result<Properties, ApiError> {
        unimplemented!()
    }

    /// The resource's `Metadata` attribute.
    pub(crate) fn metadata(&self, _logical_id: &str) -> Result<Option<Value>, ApiError> {
        unimplemented!()
    }

    /// The outputs whose condition holds.
    pub(crate) fn outputs(&self) -> Result<Vec<Output>, ApiError> {
        unimplemented!()
    }
}
