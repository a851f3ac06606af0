//! SimulatePrincipalPolicy: what a principal may do, without doing it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::page;
use super::policy::{Decision, Document, Request, evaluate};
use super::role::{Role, no_such_entity};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::wire::{list, number};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SimulatePrincipalPolicy {
    policy_source_arn: String,
    #[serde(default, deserialize_with = "list")]
    action_names: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    resource_arns: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    context_entries: Vec<ContextEntry>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_items: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ContextEntry {
    context_key_name: String,
    #[serde(default, deserialize_with = "list")]
    context_key_values: Vec<String>,
    #[serde(rename = "ContextKeyType")]
    _context_key_type: Option<String>,
}

pub(super) fn simulate_principal_policy(
    endpoint: &Endpoint,
    input: SimulatePrincipalPolicy,
) -> Result<Value, ApiError> {
    let invalid = |message: String| ApiError::new("InvalidInput", message);
    if let Some(action) = input.action_names.iter().find(|action| !action.contains(':')) {
        return Err(invalid(format!("Invalid Action: {action}")));
    }
    if input.action_names.is_empty() {
        return Err(invalid("ActionNames must have at least one member.".to_owned()));
    }
    if let Some(entry) = input.context_entries.iter().find(|entry| entry.context_key_values.len() > 1) {
        return Err(ApiError::unsupported(format!(
            "More than one value of the context key {}",
            entry.context_key_name
        )));
    }
    let policies = policies(endpoint, &input.policy_source_arn)?;
    let everything = vec!["*".to_owned()];
    let resources = if input.resource_arns.is_empty() { &everything } else { &input.resource_arns };
    let context = input.context_entries.iter();
    let context: BTreeMap<String, String> = context
        .filter_map(|entry| Some((entry.context_key_name.clone(), entry.context_key_values.first()?.clone())))
        .collect();
    let mut results = Vec::new();
    for action in &input.action_names {
        for resource in resources {
            let request = Request { action, resource, principal: "", context: &context };
            let decision =
                policies.as_ref().map_or(Decision::Allowed, |policies| evaluate(&policies.documents, &request));
            if let Some(Policies { unknown, .. }) = &policies
                && decision == Decision::ImplicitlyDenied
                && !unknown.is_empty()
            {
                return Err(ApiError::unsupported(format!(
                    "What the managed policy {} allows ({action})",
                    unknown.join(", ")
                )));
            }
            results.push(json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": shown(decision),
                "MatchedStatements": [],
                "MissingContextValues": [],
            }));
        }
    }
    // The same question has the same answers, so a place among them is a key.
    let results = results.into_iter().enumerate().collect();
    let show = |(_, result): &(usize, Value)| result.clone();
    page("EvaluationResults", results, |(place, _)| *place, show, input.marker.as_deref(), input.max_items)
}

/// The policies of a principal.
struct Policies {
    documents: Vec<Document>,
    /// Managed policies whose statements are not known here.
    unknown: Vec<String>,
}

/// What the principal's policies say; `None` for the endpoint's owner, who may do everything.
fn policies(endpoint: &Endpoint, arn: &str) -> Result<Option<Policies>, ApiError> {
    if arn == endpoint.identity.user_arn() {
        return Ok(None);
    }
    if !arn.contains(":role/") {
        return Err(no_such_entity(format!("The user or role {arn} cannot be found.")));
    }
    endpoint.store.read(|tx| {
        let role = Role::with_arn(tx, arn)?
            .ok_or_else(|| no_such_entity(format!("The role with name {arn} cannot be found.")))?;
        let unknown = role.unknown_policies()?.into_iter().map(str::to_owned).collect();
        Ok(Some(Policies { documents: role.identity_policies()?, unknown }))
    })
}

fn shown(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitlyDenied => "explicitDeny",
        Decision::ImplicitlyDenied => "implicitDeny",
    }
}
