//! What an operation would change, computed without changing anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::compiled::Compiled;
use super::drift::found::Drift;
use super::export::Imports;
use super::refusal::invalid;
use super::resources::{Created, Properties};
use super::schema::{Change, Schema, Schemas};
use super::stack::{Stack, Target};
use super::stack_resource::StackResource;
use super::template::unknown;
use crate::error::ApiError;

/// Whether a change makes another physical resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacement {
    True,
    False,
    /// It depends on a value that is known only when the time comes.
    Conditional,
}

/// What becomes of one logical resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Add {
        after: Properties,
    },
    Modify {
        changes: Vec<Change>,
        /// What differs beside the properties: `Metadata`, `Tags`, `DeletionPolicy`, `UpdateReplacePolicy`.
        attributes: Vec<&'static str>,
        replacement: Replacement,
        before: Properties,
        after: Properties,
    },
    Remove {
        before: Properties,
    },
    /// The template now says what somebody has made of the resource: only the record changes.
    SyncWithActual {
        /// What the record says.
        before: Properties,
        after: Properties,
    },
}

/// One resource that changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) logical_id: String,
    pub(super) physical_id: Option<String>,
    pub(super) resource_type: String,
    pub(super) action: Action,
}

/// Everything that changes.
pub(super) struct Plan {
    pub(super) resources: Vec<Planned>,
    /// Outputs that differ, or whose value is not known yet.
    pub(super) outputs_differ: bool,
    pub(super) tags_differ: bool,
}

impl Plan {
    /// Whether CloudFormation calls it no update at all: a description, unused parameters and `DependsOn` are none by
    /// themselves.
    pub(super) fn is_empty(&self) -> bool {
        self.resources.is_empty() && !self.outputs_differ && !self.tags_differ
    }
}

/// What there is, and what it should become.
pub(super) struct Situation<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) schemas: &'a Schemas,
    pub(super) imports: &'a Imports,
    pub(super) stack: &'a Stack,
    pub(super) target: &'a Target,
    /// For a change set that reverts drift, as they were found (`drift::repair`).
    pub(super) resources: &'a BTreeMap<String, StackResource>,
    /// What was found of them then.
    pub(super) found: Option<&'a BTreeMap<String, Drift>>,
}

impl Situation<'_> {
    /// The resources that are there, for references to them.
    pub(super) fn created(&self) -> BTreeMap<String, Created> {
        let alive = self.resources.iter().filter(|(_, resource)| !resource.status.is_gone());
        alive.filter_map(|(logical_id, resource)| Some((logical_id.clone(), resource.created()?))).collect()
    }
}

/// Computes the plan and with it checks all that can be checked before anything is made.
pub(super) fn plan(situation: &Situation<'_>) -> Result<Plan, ApiError> {
    let Situation { compiled, schemas, imports, stack, target, resources, .. } = situation;
    let passed = |logical_id: &str| {
        let declared = compiled.template.resources.get(logical_id)?;
        let resource = resources.get(logical_id).filter(|it| it.resource_type == declared.resource_type)?;
        Some(&resource.now.properties)
    };
    let mut created = situation.created();
    // What is replaced gets other ids, which can in turn replace what uses them.
    loop {
        let properties = compiled.planned_properties(&created, imports, schemas, &passed)?;
        let planned = changes(situation, &properties, &created)?;
        let replaced: BTreeSet<&String> =
            planned.iter().filter(|it| it.is_replaced()).map(|it| &it.logical_id).collect();
        let before = created.len();
        created.retain(|logical_id, _| !replaced.contains(logical_id));
        if created.len() == before {
            let exports = |name: &str| Ok(imports.get(name));
            let outputs = compiled.scope(&created, &exports, true).outputs()?;
            return Ok(Plan {
                resources: planned,
                outputs_differ: outputs != stack.outputs,
                tags_differ: target.tags != stack.target.tags,
            });
        }
    }
}

impl Planned {
    pub(super) fn is_replaced(&self) -> bool {
        matches!(&self.action, Action::Modify { replacement, .. } if *replacement != Replacement::False)
    }
}

fn changes(
    situation: &Situation<'_>,
    properties: &BTreeMap<String, Properties>,
    created: &BTreeMap<String, Created>,
) -> Result<Vec<Planned>, ApiError> {
    let Situation { compiled, resources, .. } = situation;
    let mut planned = Vec::new();
    for (logical_id, after) in properties {
        let resource_type = compiled.template.resources[logical_id].resource_type.clone();
        let existing = resources.get(logical_id).filter(|it| it.now.physical_id.is_some() && !it.status.is_gone());
        let (physical_id, action) = match existing {
            None => (None, Some(Action::Add { after: after.clone() })),
            Some(resource) => {
                (resource.now.physical_id.clone(), modification(situation, resource, &resource_type, after, created)?)
            }
        };
        if let Some(action) = action {
            planned.push(Planned { logical_id: logical_id.clone(), physical_id, resource_type, action });
        }
    }
    for (logical_id, resource) in resources.iter().filter(|(_, resource)| !resource.status.is_gone()) {
        if !properties.contains_key(logical_id) {
            planned.push(Planned {
                logical_id: logical_id.clone(),
                physical_id: resource.now.physical_id.clone(),
                resource_type: resource.resource_type.clone(),
                action: Action::Remove { before: resource.now.properties.clone() },
            });
        }
    }
    planned.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    Ok(planned)
}

fn modification(
    situation: &Situation<'_>,
    resource: &StackResource,
    resource_type: &str,
    after: &Properties,
    created: &BTreeMap<String, Created>,
) -> Result<Option<Action>, ApiError> {
    let before = resource.now.properties.clone();
    if resource.resource_type != resource_type {
        return Err(invalid(format!(
            "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{}]",
            resource.logical_id
        )));
    }
    let schema = situation.schemas.get(resource_type)?;
    let changes = schema.changes(&before, after);
    let attributes = attributes(situation, resource, &schema, created)?;
    if changes.is_empty() && attributes.is_empty() && !resource.status.is_failed() {
        let recorded = situation.found.and_then(|found| found.get(&resource.logical_id)).map(|drift| &drift.expected);
        return Ok(recorded
            .filter(|recorded| *recorded != after)
            .map(|recorded| Action::SyncWithActual { before: recorded.clone(), after: after.clone() }));
    }
    let replacing = || changes.iter().filter(|change| change.replaces);
    let is_known = |change: &Change| !after.get(&change.property).is_some_and(unknown::is_in);
    let replacement = if replacing().any(is_known) {
        Replacement::True
    } else if replacing().next().is_some() {
        Replacement::Conditional
    } else {
        Replacement::False
    };
    Ok(Some(Action::Modify { changes, attributes, replacement, before, after: after.clone() }))
}

/// The attributes of the resource, its properties apart, that differ.
fn attributes(
    situation: &Situation<'_>,
    resource: &StackResource,
    schema: &Schema,
    created: &BTreeMap<String, Created>,
) -> Result<Vec<&'static str>, ApiError> {
    let exports = |name: &str| Ok(situation.imports.get(name));
    let metadata = situation.compiled.scope(created, &exports, true).metadata(&resource.logical_id)?;
    let tags = situation.stack.tags_for(situation.target, &resource.logical_id, schema);
    let declared = &situation.compiled.template.resources[&resource.logical_id];
    let all = [
        ("Metadata", metadata != resource.now.metadata),
        ("Tags", tags != resource.now.tags),
        ("DeletionPolicy", declared.deletion_policy != resource.deletion_policy),
        ("UpdateReplacePolicy", declared.update_replace_policy != resource.update_replace_policy),
    ];
    Ok(all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect())
}

/// Properties as a change set shows them together.
pub(super) fn context(properties: &Properties) -> Value {
    json!(json!({"Properties": unknown::shown(&Value::Object(properties.clone()))}).to_string())
}

/// A value as a change set shows it: text as it is, everything else as JSON.
pub(super) fn shown(value: &Value) -> String {
    match unknown::shown(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
