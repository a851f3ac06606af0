//! What a change set starts from that goes by what there is.

use std::collections::BTreeMap;

use super::found::Drift;
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::{ActualState, StackResource};
use crate::error::ApiError;
use crate::store::Tx;

/// The records as if CloudFormation had itself made the resources what they are. One that is gone has to be made again. What
/// cannot be changed in place is taken to be as declared: no change set puts it back (AWS: "do not support drift
/// reconciliation for immutable properties").
///
/// # Errors
/// When a record is of an unknown type.
pub(in crate::cloudformation) fn as_found(
    resources: &BTreeMap<String, StackResource>,
    found: &BTreeMap<String, Drift>,
    schemas: &Schemas,
) -> Result<BTreeMap<String, StackResource>, ApiError> {
    let mut resources = resources.clone();
    for (logical_id, drift) in found {
        let Some(resource) = resources.get_mut(logical_id) else { continue };
        let Some(actual) = &drift.actual else {
            // The number of the one that is gone is spent: whatever bears its generated name is not ours.
            let generation = resource.now.generation + 1;
            resource.now = ActualState { generation, ..ActualState::default() };
            continue;
        };
        let schema = schemas.get(&resource.resource_type)?;
        for change in schema.changes(&drift.expected, actual).into_iter().filter(|change| !change.replaces) {
            match actual.get(&change.property) {
                Some(value) => resource.now.properties.insert(change.property, value.clone()),
                None => resource.now.properties.remove(&change.property),
            };
        }
    }
    Ok(resources)
}

/// Writes them so, at the begin of the update that repairs. A resource that is made again counts as one that this update
/// adds: should it fail, the resource goes again, and the stack is what it was found to be.
///
/// # Errors
/// When the store fails.
pub(in crate::cloudformation) fn begin(
    tx: &Tx<'_>,
    stack: &Stack,
    found: &BTreeMap<String, Drift>,
    schemas: &Schemas,
) -> Result<(), ApiError> {
    let recorded = StackResource::all(tx, &stack.stack_id)?;
    for (logical_id, mut resource) in as_found(&recorded, found, schemas)? {
        if found.get(&logical_id).is_some_and(|drift| drift.actual.is_none()) {
            resource.added_by.clone_from(&stack.operation.id);
        }
        resource.drift = None;
        tx.put(&resource)?;
    }
    Ok(())
}
