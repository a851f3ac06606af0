//! The calls for rules.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bus;
use super::page::Page;
use super::refusal::{check_name, invalid};
use super::rule::{Rule, Settings, State};
use super::tag::{self, Tag};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PutRule {
    name: String,
    schedule_expression: Option<String>,
    event_pattern: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    event_bus_name: Option<String>,
}

pub(super) fn put_rule(endpoint: &Endpoint, input: PutRule) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    let tags = tag::read(&input.tags)?;
    tag::check_count(&tags)?;
    let settings = Settings {
        // A text that is empty is none.
        event_pattern: input.event_pattern.filter(|text| !text.is_empty()),
        schedule_expression: input.schedule_expression.filter(|text| !text.is_empty()),
        state: input.state.as_deref().map_or(Ok(State::default()), State::parse)?,
        description: input.description,
        role_arn: input.role_arn,
    };
    let rule = endpoint.store.write(|tx| {
        let is_new = tx.get::<Rule>(&input.name)?.is_none();
        let mut rule = Rule::put(endpoint, tx, &input.name, settings)?;
        // "If you are updating an existing rule, any tags you specify in the PutRule operation are ignored."
        if is_new && !tags.is_empty() {
            rule.tags = tags;
            tx.put(&rule)?;
        }
        Ok(rule)
    })?;
    Ok(json!({"RuleArn": rule.arn}))
}

/// A call about one rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct NamedRule {
    name: String,
    event_bus_name: Option<String>,
    /// Of DeleteRule, for rules of services, which there are none of.
    #[serde(default, rename = "Force")]
    _force: bool,
}

pub(super) fn describe_rule(endpoint: &Endpoint, input: &NamedRule) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    let rule = endpoint.store.read(|tx| Rule::find(tx, &input.name))?;
    let mut answer = show(&rule);
    answer["CreatedBy"] = json!(endpoint.identity.account_id);
    Ok(answer)
}

fn show(rule: &Rule) -> Value {
    let settings = &rule.settings;
    let members = [
        ("Name", json!(rule.name)),
        ("Arn", json!(rule.arn)),
        ("EventPattern", json!(settings.event_pattern)),
        ("ScheduleExpression", json!(settings.schedule_expression)),
        ("State", json!(settings.state)),
        ("Description", json!(settings.description)),
        ("RoleArn", json!(settings.role_arn)),
        ("EventBusName", json!(bus::DEFAULT)),
    ];
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListRules {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn list_rules(endpoint: &Endpoint, input: &ListRules) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    let prefix = input.name_prefix.as_deref();
    prefix.map_or(Ok(()), |prefix| check_name("namePrefix", prefix))?;
    let rules = endpoint.store.read(|tx| tx.list_prefix::<Rule>(prefix.unwrap_or_default()))?;
    let page = Page { next_token: input.next_token.as_deref(), limit: input.limit };
    page.of("Rules", rules, |rule| rule.name.clone(), show)
}

pub(super) fn enable_rule(endpoint: &Endpoint, input: &NamedRule) -> Result<Value, ApiError> {
    set_state(endpoint, input, State::Enabled)
}

pub(super) fn disable_rule(endpoint: &Endpoint, input: &NamedRule) -> Result<Value, ApiError> {
    set_state(endpoint, input, State::Disabled)
}

fn set_state(endpoint: &Endpoint, input: &NamedRule, state: State) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    endpoint.store.write(|tx| {
        let rule = Rule::find(tx, &input.name)?;
        if rule.settings.state != state {
            Rule::put(endpoint, tx, &input.name, Settings { state, ..rule.settings })?;
        }
        Ok(())
    })?;
    Ok(json!({}))
}

/// A rule that is not there is deleted, too, as on AWS.
pub(super) fn delete_rule(endpoint: &Endpoint, input: &NamedRule) -> Result<Value, ApiError> {
    bus::check(endpoint, input.event_bus_name.as_deref())?;
    check_name("name", &input.name)?;
    endpoint.store.write(|tx| {
        if tx.get::<Rule>(&input.name)?.is_some_and(|rule| !rule.targets.is_empty()) {
            return Err(invalid("Rule can't be deleted since it has targets."));
        }
        Rule::delete(tx, &input.name)
    })?;
    Ok(json!({}))
}
