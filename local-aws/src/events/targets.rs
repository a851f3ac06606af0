//! The calls for targets.

use serde::Deserialize;
use serde_json::{Value, json};

use super::bus;
use super::page::Page;
use super::refusal::constraint;
use super::rule::Rule;
use super::target::Target;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// Entries that one call may have.
const MAX_ENTRIES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PutTargets {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<Target>,
}

pub(super) fn put_targets(endpoint: &Endpoint, input: PutTargets) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    check_count("targets", input.targets.len())?;
    endpoint.store.write(|tx| Rule::find(tx, &input.rule)?.put_targets(endpoint, tx, input.targets))?;
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct RemoveTargets {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
    /// For rules of services, which there are none of.
    #[serde(default, rename = "Force")]
    _force: bool,
}

pub(super) fn remove_targets(endpoint: &Endpoint, input: &RemoveTargets) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    check_count("ids", input.ids.len())?;
    let failed: Vec<Value> = endpoint.store.write(|tx| {
        let mut rule = Rule::find(tx, &input.rule)?;
        let missing = input.ids.iter().filter(|id| rule.targets.iter().all(|target| target.id != **id));
        let failed = missing.map(|id| {
            json!({
                "TargetId": id,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": format!("Rule {} does not have a target with the Id {id}.", input.rule),
            })
        });
        let failed = failed.collect();
        rule.targets.retain(|target| !input.ids.contains(&target.id));
        rule.save(endpoint, tx)?;
        Ok(failed)
    })?;
    Ok(json!({"FailedEntryCount": failed.len(), "FailedEntries": failed}))
}

fn check_count(member: &str, count: usize) -> Result<(), ApiError> {
    match count {
        0 => Err(constraint(member, "[]", "have length greater than or equal to 1")),
        count if count > MAX_ENTRIES => Err(constraint(
            member,
            format_args!("a list of {count}"),
            &format!("have length less than or equal to {MAX_ENTRIES}"),
        )),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListTargetsByRule {
    rule: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn list_targets_by_rule(endpoint: &Endpoint, input: &ListTargetsByRule) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    let mut targets = endpoint.store.read(|tx| Rule::find(tx, &input.rule))?.targets;
    targets.sort_by(|a, b| a.id.cmp(&b.id));
    let page = Page { next_token: input.next_token.as_deref(), limit: input.limit };
    page.of("Targets", targets, |target| target.id.clone(), |target| json!(target))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListRuleNamesByTarget {
    target_arn: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn list_rule_names_by_target(endpoint: &Endpoint, input: &ListRuleNamesByTarget) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    let rules = endpoint.store.read(|tx| tx.list::<Rule>())?.into_iter();
    let names = rules.filter(|rule| rule.targets.iter().any(|target| target.arn == input.target_arn));
    let names: Vec<String> = names.map(|rule| rule.name).collect();
    let page = Page { next_token: input.next_token.as_deref(), limit: input.limit };
    page.of("RuleNames", names, String::clone, |name| json!(name))
}
