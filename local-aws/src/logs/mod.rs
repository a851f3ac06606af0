//! CloudWatch Logs: groups and streams are records, events are rows of their own table.

mod event;
mod filter;
mod get;
mod group;
mod ingest;
mod pattern;
mod stream;
mod tags;

use std::sync::Arc;

use chrono::Utc;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tagging::Tagged;
use crate::wire;

pub(crate) use group::{LogGroup, check_class, check_retention};

/// One call of the service.
pub(crate) fn call(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Result<Value, ApiError> {
    match operation {
        "CreateLogGroup" => group::create_log_group(endpoint, decode(operation, input)?),
        "DeleteLogGroup" => group::delete_log_group(endpoint, decode(operation, input)?),
        "DescribeLogGroups" => group::describe_log_groups(endpoint, decode(operation, input)?),
        "PutRetentionPolicy" => group::put_retention_policy(endpoint, decode(operation, input)?),
        "DeleteRetentionPolicy" => group::delete_retention_policy(endpoint, decode(operation, input)?),
        "CreateLogStream" => stream::create_log_stream(endpoint, decode(operation, input)?),
        "DeleteLogStream" => stream::delete_log_stream(endpoint, decode(operation, input)?),
        "DescribeLogStreams" => stream::describe_log_streams(endpoint, decode(operation, input)?),
        "PutLogEvents" => ingest::put_log_events(endpoint, decode(operation, input)?),
        "GetLogEvents" => get::get_log_events(endpoint, decode(operation, input)?),
        "FilterLogEvents" => filter::filter_log_events(endpoint, decode(operation, input)?),
        "TagResource" => tags::tag_resource(endpoint, decode(operation, input)?),
        "UntagResource" => tags::untag_resource(endpoint, decode(operation, input)?),
        "ListTagsForResource" => tags::list_tags_for_resource(endpoint, decode(operation, input)?),
        "TagLogGroup" => tags::tag_log_group(endpoint, decode(operation, input)?),
        "UntagLogGroup" => tags::untag_log_group(endpoint, decode(operation, input)?),
        "ListTagsLogGroup" => tags::list_tags_log_group(endpoint, decode(operation, input)?),
        other => Err(ApiError::unknown_operation("logs", other)),
    }
}

/// Makes the stream unless it is there. The group must exist (ResourceNotFoundException).
pub(crate) fn ensure_stream(tx: &Tx<'_>, group: &str, stream: &str) -> Result<(), ApiError> {
    group::find(tx, group)?;
    if stream::get(tx, group, stream)?.is_none() {
        stream::create(tx, group, stream)?;
    }
    Ok(())
}

/// Appends events (epoch milliseconds, message) to a stream that is there, in the caller's transaction.
///
/// Empty messages are left out, as Docker's `awslogs` driver does: CloudWatch Logs has no empty events.
pub(crate) fn append(tx: &Tx<'_>, group: &str, stream: &str, events: &[(i64, String)]) -> Result<(), ApiError> {
    let now = Utc::now();
    let group = group::find(tx, group)?;
    group::delete_expired(tx, &group, now)?;
    let events = events.iter().filter(|(_, message)| !message.is_empty());
    ingest::store(tx, &group.name, stream, events.map(|(at, message)| (*at, message.as_str())), now)
}

/// Every tagged resource of the service.
pub(crate) fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let groups = tx.list::<LogGroup>()?.into_iter().filter(|group| !group.tags.is_empty());
    Ok(groups.map(|group| Tagged { arn: group.arn, tags: group.tags }).collect())
}

const INVALID: &str = "InvalidParameterException";

fn decode<T: DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    wire::decode(INVALID, operation, input)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID, message)
}

/// What AWS says of a value that its model does not allow.
fn constraint(member: &str, value: impl std::fmt::Display, rule: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    ))
}

/// The page size asked for; `most` is the model's maximum and what AWS takes when nothing is asked.
fn limit(asked: Option<i64>, most: usize) -> Result<usize, ApiError> {
    let Some(asked) = asked else { return Ok(most) };
    match usize::try_from(asked) {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        Ok(limit) if limit > most => {
            Err(constraint("limit", asked, &format!("have value less than or equal to {most}")))
        }
        _ => Err(constraint("limit", asked, "have value greater than or equal to 1")),
    }
}

fn bad_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}
