//! What AWS FIS accepts as an experiment template.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::catalog::{self, ActionKind};
use super::duration;
use super::refusal::{invalid, quota_exceeded};
use super::resolve::SelectionMode;
use super::spec::{Action, Filter, Spec, StopCondition, Target};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// Quota "Actions per experiment template".
const MAX_ACTIONS: usize = 20;

/// Quota "Experiment duration" and "Action duration", in hours.
const MAX_HOURS: i64 = 12;

/// `resourceArns` of one target.
const MAX_ARNS: usize = 5;

/// What a process can be sent.
const SIGNALS: [&str; 2] = ["SIGTERM", "SIGKILL"];

/// Tags that a target may ask for.
const MAX_TAGS: usize = 50;

/// Refuses what AWS refuses, and by name what only AWS has.
pub(super) fn template(endpoint: &Endpoint, spec: &Spec) -> Result<(), ApiError> {
    length("description", &spec.description, 512)?;
    role(endpoint, &spec.role_arn)?;
    stop_conditions(&spec.stop_conditions)?;
    match spec.experiment_options.account_targeting.as_str() {
        "single-account" => {}
        "multi-account" => return Err(ApiError::unsupported("Account targeting multi-account")),
        other => return Err(one_of("accountTargeting", other, &["single-account", "multi-account"])),
    }
    match spec.experiment_options.empty_target_resolution_mode.as_str() {
        "fail" | "skip" => {}
        other => return Err(one_of("emptyTargetResolutionMode", other, &["fail", "skip"])),
    }
    if spec.actions.is_empty() {
        return Err(invalid("An experiment template must have at least one action."));
    }
    if spec.actions.len() > MAX_ACTIONS {
        return Err(quota_exceeded(format!("An experiment template can have at most {MAX_ACTIONS} actions.")));
    }
    for (name, target) in &spec.targets {
        length("target name", name, 64)?;
        check_target(endpoint, name, target)?;
    }
    for (name, action) in &spec.actions {
        length("action name", name, 64)?;
        check_action(name, action, &spec.targets)?;
    }
    let used: BTreeSet<&String> = spec.actions.values().flat_map(|action| action.targets.values()).collect();
    if let Some(unused) = spec.targets.keys().find(|name| !used.contains(name)) {
        return Err(invalid(format!("Target {unused} is not used by any action.")));
    }
    order(&spec.actions)
}

fn length(what: &str, text: &str, most: usize) -> Result<(), ApiError> {
    match text.chars().count() {
        0 => Err(invalid(format!("The {what} must not be empty."))),
        count if count > most => Err(invalid(format!("The {what} must have at most {most} characters, not {count}."))),
        _ => Ok(()),
    }
}

fn one_of(member: &str, value: &str, allowed: &[&str]) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
        allowed.join(", ")
    ))
}

// Whether the role is there and trusts FIS shows when an experiment starts, as on AWS.
fn role(endpoint: &Endpoint, arn: &str) -> Result<(), ApiError> {
    let account = format!("arn:aws:iam::{}:role/", endpoint.identity.account_id);
    match arn.strip_prefix(&account) {
        Some(name) if !name.is_empty() && !name.contains(char::is_whitespace) => Ok(()),
        _ => Err(invalid(format!("roleArn: {arn} is not the ARN of an IAM role of this account ({account}NAME)."))),
    }
}

fn stop_conditions(conditions: &[StopCondition]) -> Result<(), ApiError> {
    if conditions.is_empty() {
        return Err(invalid(
            "stopConditions must have at least one entry; {\"source\": \"none\"} is the one without an alarm.",
        ));
    }
    for condition in conditions {
        match (condition.source.as_str(), &condition.value) {
            ("none", None) if conditions.len() == 1 => {}
            ("none", None) => return Err(invalid("The stop condition none cannot be combined with others.")),
            ("none", Some(_)) => return Err(invalid("The stop condition none has no value.")),
            ("aws:cloudwatch:alarm", _) => {
                return Err(ApiError::unsupported("The stop condition aws:cloudwatch:alarm"));
            }
            (source, _) => return Err(invalid(format!("The stop condition source {source} is not valid."))),
        }
    }
    Ok(())
}

fn check_target(endpoint: &Endpoint, name: &str, target: &Target) -> Result<(), ApiError> {
    if target.resource_type != catalog::TASK {
        return Err(invalid(format!(
            "Target resource type {} of target {name} not found: the local endpoint has {}.",
            target.resource_type,
            catalog::TASK
        )));
    }
    if SelectionMode::parse(&target.selection_mode).is_none() {
        return Err(invalid(format!(
            "The selection mode {} of target {name} is not valid: it must be ALL, COUNT(n) or PERCENT(n).",
            target.selection_mode
        )));
    }
    if !target.resource_arns.is_empty() {
        return check_arns(endpoint, name, target);
    }
    if target.resource_tags.is_empty() && target.filters.is_empty() && target.parameters.is_empty() {
        return Err(invalid(format!(
            "You must specify resource ARNs, resource tags, filters or parameters for target {name}."
        )));
    }
    if target.resource_tags.len() > MAX_TAGS {
        return Err(invalid(format!("Target {name} can have at most {MAX_TAGS} resource tags.")));
    }
    target.filters.iter().try_for_each(|filter| check_filter(name, filter))?;
    for parameter in target.parameters.keys() {
        if !catalog::TASK_PARAMETERS.iter().any(|(known, _)| known == parameter) {
            return Err(invalid(format!("Unexpected parameter \"{parameter}\" found in target \"{name}\".")));
        }
    }
    Ok(())
}

fn check_arns(endpoint: &Endpoint, name: &str, target: &Target) -> Result<(), ApiError> {
    let other = [
        (!target.resource_tags.is_empty(), "resource tags"),
        (!target.filters.is_empty(), "filters"),
        (!target.parameters.is_empty(), "parameters"),
    ];
    if let Some((_, other)) = other.iter().find(|(given, _)| *given) {
        return Err(invalid(format!("You cannot specify both resource ARNs and {other} for target {name}.")));
    }
    if target.resource_arns.len() > MAX_ARNS {
        return Err(invalid(format!("Target {name} can have at most {MAX_ARNS} resource ARNs.")));
    }
    let tasks = endpoint.arn("ecs", "task/");
    match target.resource_arns.iter().find(|arn| !arn.starts_with(&tasks)) {
        None => Ok(()),
        Some(arn) => Err(invalid(format!("{arn} of target {name} is not the ARN of a task ({tasks}CLUSTER/ID)."))),
    }
}

fn check_filter(target: &str, filter: &Filter) -> Result<(), ApiError> {
    if filter.path.is_empty() || filter.path.len() > 256 || filter.path.contains(char::is_whitespace) {
        return Err(invalid(format!("The filter path '{}' of target {target} is not valid.", filter.path)));
    }
    if filter.values.is_empty() {
        return Err(invalid(format!("The filter {} of target {target} must have a value.", filter.path)));
    }
    Ok(())
}

fn check_action(name: &str, action: &Action, targets: &BTreeMap<String, Target>) -> Result<(), ApiError> {
    let kind = catalog::action(&action.action_id).ok_or_else(|| {
        let known: Vec<_> = catalog::ACTIONS.iter().map(|action| action.id).collect();
        invalid(format!("Action with ID {} not found: the local endpoint has {}.", action.action_id, known.join(", ")))
    })?;
    if let Some(description) = &action.description {
        length("description of an action", description, 512)?;
    }
    check_parameters(name, action, kind)?;
    if let Some(unexpected) = action.targets.keys().find(|key| kind.target.is_none_or(|(known, _)| known != *key)) {
        return Err(invalid(format!("Unexpected target \"{unexpected}\" found in action \"{name}\".")));
    }
    if let Some((key, _)) = kind.target {
        let target = action
            .targets
            .get(key)
            .ok_or_else(|| invalid(format!("Missing required target \"{key}\" in action \"{name}\".")))?;
        if !targets.contains_key(target) {
            return Err(invalid(format!("Target \"{target}\" of action \"{name}\" is not in the template's targets.")));
        }
    }
    Ok(())
}

fn check_parameters(name: &str, action: &Action, kind: &ActionKind) -> Result<(), ApiError> {
    if let Some(unexpected) =
        action.parameters.keys().find(|key| !kind.parameters.iter().any(|known| known.name == *key))
    {
        return Err(invalid(format!("Unexpected parameter \"{unexpected}\" found in action \"{name}\".")));
    }
    let mut required = kind.parameters.iter().filter(|known| known.required);
    if let Some(missing) = required.find(|known| !action.parameters.contains_key(known.name)) {
        return Err(invalid(format!("Missing required parameter \"{}\" in action \"{name}\".", missing.name)));
    }
    if let Some(signal) = action.parameters.get("signal").filter(|signal| !SIGNALS.contains(&signal.as_str())) {
        return Err(invalid(format!(
            "The signal {signal} of action \"{name}\" is not valid: it must be {}.",
            SIGNALS.join(" or ")
        )));
    }
    let Some(text) = action.parameters.get("duration") else { return Ok(()) };
    match duration::parse(text) {
        Some(length) if length > TimeDelta::zero() && length <= TimeDelta::hours(MAX_HOURS) => Ok(()),
        _ => Err(invalid(format!(
            "The duration {text} of action \"{name}\" is not valid: it must be in ISO 8601 format, e.g. PT1M, and at most {MAX_HOURS} hours."
        ))),
    }
}

/// `startAfter` names other actions and leads to none of them twice.
fn order(actions: &BTreeMap<String, Action>) -> Result<(), ApiError> {
    for (name, action) in actions {
        if let Some(unknown) = action.start_after.iter().find(|other| !actions.contains_key(*other)) {
            return Err(invalid(format!("startAfter of action \"{name}\" names \"{unknown}\", which is no action.")));
        }
    }
    let mut settled: BTreeSet<&String> = BTreeSet::new();
    while settled.len() < actions.len() {
        let next: Vec<&String> = actions
            .iter()
            .filter(|(name, action)| {
                !settled.contains(name) && action.start_after.iter().all(|other| settled.contains(other))
            })
            .map(|(name, _)| name)
            .collect();
        if next.is_empty() {
            let stuck: Vec<&str> = actions.keys().filter(|name| !settled.contains(name)).map(String::as_str).collect();
            return Err(invalid(format!("startAfter of the actions {} is circular.", stuck.join(", "))));
        }
        settled.extend(next);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
