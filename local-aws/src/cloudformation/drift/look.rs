//! Looks how resources are.

use std::collections::BTreeMap;

use chrono::Utc;

use super::found::Drift;
use crate::cloudformation::resources::{self, Reading, Sibling};
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack_resource::StackResource;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// The resources of a stack that are there by its records, each as it is.
pub(in crate::cloudformation) fn look(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    schemas: &Schemas,
    resources: &BTreeMap<String, StackResource>,
) -> Result<BTreeMap<String, Drift>, ApiError> {
    let there = resources.values().filter(|it| !it.status.is_gone());
    let there = there.filter_map(|it| Some((it, it.now.physical_id.as_deref()?)));
    let there: Vec<(&StackResource, &str)> = there.collect();
    let checked_at = Utc::now();
    let mut found = BTreeMap::new();
    for (resource, physical_id) in &there {
        let others = there.iter().filter(|(other, _)| other.logical_id != resource.logical_id);
        let siblings: Vec<Sibling<'_>> = others
            .map(|(other, physical_id)| Sibling {
                resource_type: &other.resource_type,
                physical_id,
                properties: &other.now.properties,
            })
            .collect();
        let expected = resource.now.properties.clone();
        let reading = Reading { endpoint, tx, physical_id, declared: &expected, siblings: &siblings };
        let live = match resources::find(&resource.resource_type) {
            Some(handler) => handler.live(&reading)?,
            None => continue,
        };
        let schema = schemas.get(&resource.resource_type)?;
        let actual = live.map(|live| schema.actual(&expected, &live));
        found.insert(resource.logical_id.clone(), Drift { checked_at, expected, actual });
    }
    Ok(found)
}
