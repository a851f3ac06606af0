//! The calls for log groups.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::group::{LogGroup, STANDARD, check_class, check_name, check_retention, find, not_found};
use super::page::limit;
use super::refusal::{bad_token, invalid};
use super::tags;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::paging::page;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreateLogGroup {
    log_group_name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    log_group_class: Option<String>,
}

pub(super) fn create_log_group(endpoint: &Endpoint, input: CreateLogGroup) -> Result<Value, ApiError> {
    check_class(input.log_group_class.as_deref())?;
    tags::check_all(&input.tags)?;
    endpoint.store.write(|tx| LogGroup::create(endpoint, tx, &input.log_group_name, None, input.tags))?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NamedGroup {
    log_group_name: String,
}

pub(super) fn delete_log_group(endpoint: &Endpoint, input: NamedGroup) -> Result<Value, ApiError> {
    check_name(&input.log_group_name)?;
    endpoint.store.write(|tx| if LogGroup::delete(tx, &input.log_group_name)? { Ok(()) } else { Err(not_found()) })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PutRetentionPolicy {
    log_group_name: String,
    retention_in_days: i64,
}

pub(super) fn put_retention_policy(endpoint: &Endpoint, input: PutRetentionPolicy) -> Result<Value, ApiError> {
    check_retention(input.retention_in_days)?;
    set_retention(endpoint, &input.log_group_name, Some(input.retention_in_days))
}

pub(super) fn delete_retention_policy(endpoint: &Endpoint, input: NamedGroup) -> Result<Value, ApiError> {
    set_retention(endpoint, &input.log_group_name, None)
}

fn set_retention(endpoint: &Endpoint, name: &str, days: Option<i64>) -> Result<Value, ApiError> {
    check_name(name)?;
    endpoint.store.write(|tx| {
        let tags = find(tx, name)?.tags;
        LogGroup::change(tx, name, days, tags)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn describe_log_groups(endpoint: &Endpoint, input: DescribeLogGroups) -> Result<Value, ApiError> {
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let limit = limit(input.limit, 50)?;
    endpoint.store.read(|tx| {
        let mut groups = tx.list_prefix::<LogGroup>(input.log_group_name_prefix.as_deref().unwrap_or_default())?;
        groups.retain(|group| {
            input.log_group_name_pattern.as_ref().is_none_or(|pattern| group.name.contains(pattern))
                && input.log_group_class.as_ref().is_none_or(|class| class == STANDARD)
                && input.log_group_identifiers.as_ref().is_none_or(|wanted| {
                    wanted.iter().any(|identifier| *identifier == group.name || *identifier == group.arn)
                })
        });
        let (groups, token) =
            page(groups, |group| group.name.clone(), false, input.next_token.as_deref(), limit, bad_token)?;
        // What is found by a pattern comes out of an index that does not know these.
        let show =
            |group| if input.log_group_name_pattern.is_some() { Ok(outline(group)) } else { describe(tx, group) };
        let groups = groups.iter().map(show).collect::<Result<Vec<_>, _>>()?;
        let mut output = json!({"logGroups": groups});
        if let Some(token) = token {
            output["nextToken"] = json!(token);
        }
        Ok(output)
    })
}

fn describe(tx: &Tx<'_>, group: &LogGroup) -> Result<Value, ApiError> {
    // CloudWatch Logs counts 26 bytes of its own for each event.
    let stored_bytes: i64 = tx
        .sql()
        .prepare_cached("SELECT COALESCE(SUM(bytes), 0) FROM log_event WHERE log_group = ?")?
        .query_row(params![group.name], |row| row.get(0))?;
    let mut description = outline(group);
    description["storedBytes"] = json!(stored_bytes);
    description["deletionProtectionEnabled"] = json!(false);
    Ok(description)
}

fn outline(group: &LogGroup) -> Value {
    let mut outline = json!({
        "logGroupName": group.name,
        "creationTime": group.created_at.timestamp_millis(),
        "metricFilterCount": 0,
        "arn": group.arn_of_streams(),
        "logGroupArn": group.arn,
        "logGroupClass": STANDARD,
    });
    if let Some(days) = group.retention_in_days {
        outline["retentionInDays"] = json!(days);
    }
    outline
}
