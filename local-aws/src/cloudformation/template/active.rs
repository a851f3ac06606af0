//! What exists under conditions whose values are known.

use std::collections::BTreeMap;

use super::declared::Template;
use super::place::Place;
use crate::error::ApiError;

impl Template {
    /// Whether the resource exists under these conditions. Unknown names do not.
    pub(crate) fn is_active(&self, logical_id: &str, conditions: &BTreeMap<String, bool>) -> bool {
        self.resources.get(logical_id).is_some_and(|resource| holds(resource.condition.as_deref(), conditions))
    }
}

/// Whether something with this `Condition` attribute exists.
pub(super) fn holds(condition: Option<&str>, conditions: &BTreeMap<String, bool>) -> bool {
    condition.is_none_or(|name| conditions.get(name).copied().unwrap_or_default())
}

/// AWS's words for a condition that is not there.
pub(super) fn unresolved(place: &Place<'_>, name: &str) -> ApiError {
    place.error(format_args!(
        "Template format error: Unresolved condition dependency {name} in the {} block of the template",
        place.section()
    ))
}
