//! What has to be there before what.

use std::collections::{BTreeMap, BTreeSet};

use super::Template;
use crate::error::ApiError;

/// For each resource that exists under these conditions: the resources that have to be there before it.
///
/// # Errors
/// `Circular dependency between resources: [A, B]`.
pub(crate) fn dependencies(
    _template: &Template,
    _conditions: &BTreeMap<String, bool>,
) -> Result<BTreeMap<String, BTreeSet<String>>, ApiError> {
    unimplemented!()
}
