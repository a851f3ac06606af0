//! What CloudFormation finds before it makes anything: properties that their schema refuses, names that are taken.
//!
//! The change set only says that something was found. What it was is in DescribeEvents.

use serde_json::{Value, json};

use super::compiled::Compiled;
use super::export::Imports;
use super::plan::{Action, Plan, Situation};
use super::resources;
use super::template::{Place, unknown};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// The reason of a change set that fails by what was found.
pub(super) const REASON: &str = "Validation failure detected. See the operation's FAILED event for details.";

/// Something that stands in the way of a resource.
pub(super) struct Finding {
    logical_id: String,
    resource_type: String,
    validation: &'static str,
    reason: String,
    path: String,
}

impl Finding {
    /// The members of its event.
    pub(super) fn shown(&self) -> Value {
        json!({
            "EventType": "VALIDATION_ERROR",
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.resource_type,
            "ValidationFailureMode": "FAIL",
            "ValidationName": self.validation,
            "ValidationStatus": "FAILED",
            "ValidationStatusReason": self.reason,
            "ValidationPath": self.path,
        })
    }
}

/// The properties that are wrong, of all resources.
pub(super) fn properties(situation: &Situation<'_>) -> Result<Vec<Finding>, ApiError> {
    let Situation { compiled, imports, .. } = situation;
    let exports = |name: &str| Ok(Imports::get(imports, name));
    let created = situation.created();
    let scope = compiled.scope(&created, &exports, true);
    let mut findings = Vec::new();
    for logical_id in compiled.dependencies.keys() {
        findings.extend(of_resource(situation, compiled, logical_id, scope.properties(logical_id)?)?);
    }
    Ok(findings)
}

fn of_resource(
    situation: &Situation<'_>,
    compiled: &Compiled,
    logical_id: &str,
    properties: resources::Properties,
) -> Result<Vec<Finding>, ApiError> {
    let resource_type = &compiled.template.resources[logical_id].resource_type;
    let mistakes = situation.schemas.get(resource_type)?.mistakes(properties)?;
    let section = Place::root("Resources");
    let place = section.member(logical_id);
    let finding = |(pointer, message): (String, String)| Finding {
        logical_id: logical_id.to_owned(),
        resource_type: resource_type.clone(),
        validation: "PROPERTY_VALIDATION",
        reason: format!("#{pointer}: {message}"),
        path: format!("/{}{pointer}", place.member("Properties")),
    };
    Ok(mistakes.into_iter().map(finding).collect())
}

/// New resources whose name something else in the account bears.
pub(super) fn names(endpoint: &Endpoint, tx: &Tx<'_>, plan: &Plan) -> Result<Vec<Finding>, ApiError> {
    let mut findings = Vec::new();
    for planned in &plan.resources {
        let Action::Add { after } = &planned.action else { continue };
        let Some(resource_type) = resources::find(&planned.resource_type) else { continue };
        let known = after.iter().filter(|(_, value)| !unknown::is_in(value));
        let known = known.map(|(property, value)| (property.clone(), value.clone())).collect();
        if let Some(name) = resource_type.taken_name(endpoint, tx, &known)? {
            findings.push(Finding {
                logical_id: planned.logical_id.clone(),
                resource_type: planned.resource_type.clone(),
                validation: "NAME_CONFLICT_VALIDATION",
                reason: format!(
                    "Resource of type '{}' with identifier '{name}' already exists.",
                    planned.resource_type
                ),
                path: format!("/Resources/{}", planned.logical_id),
            });
        }
    }
    Ok(findings)
}
