//! The `Conditions` section, and what it makes exist.

use std::collections::BTreeMap;

use super::{Environment, Parameters, Template};
use crate::error::ApiError;

/// Which conditions are true.
///
/// # Errors
/// `ValidationError` that names the place.
pub(crate) fn evaluate(
    _template: &Template,
    _environment: &Environment,
    _parameters: &Parameters,
) -> Result<BTreeMap<String, bool>, ApiError> {
    unimplemented!()
}

impl Template {
    /// Whether the resource exists under these conditions. Unknown names do not.
    pub(crate) fn is_active(&self, _logical_id: &str, _conditions: &BTreeMap<String, bool>) -> bool {
        unimplemented!()
    }
}
