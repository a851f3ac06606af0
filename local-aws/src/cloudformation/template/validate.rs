//! Everything that can be known before anything is created.

use std::collections::BTreeMap;

use super::{Scope, Template};
use crate::cloudformation::resources::Properties;
use crate::cloudformation::schema::Schemas;
use crate::error::ApiError;

/// Looks a type up: the property paths that it refuses, or `None` when the engine cannot make it. Usually
/// `|name| resources::find(name).map(|resource_type| resource_type.refused())`.
pub(crate) type Types<'a> = dyn Fn(&str) -> Option<&'static [&'static str]> + 'a;

/// What needs no parameter values: types, names of properties and attributes, references, functions, cycles.
/// This is all that ValidateTemplate and GetTemplateSummary look at.
///
/// # Errors
/// `ValidationError` that names the place.
pub(crate) fn references(_template: &Template, _schemas: &Schemas, _types: &Types<'_>) -> Result<(), ApiError> {
    unimplemented!()
}

/// Resolves every active resource and output as far as it is known, and holds the properties against the schemas.
/// Returns the properties (coerced, unknown values marked) of the active resources.
///
/// # Errors
/// `ValidationError` that names the place.
pub(crate) fn resources(
    _scope: &Scope<'_>,
    _schemas: &Schemas,
    _types: &Types<'_>,
) -> Result<BTreeMap<String, Properties>, ApiError> {
    unimplemented!()
}
