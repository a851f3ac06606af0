//! CloudWatch Logs: groups and streams are records, events are rows of their own table.

mod event;
mod filter;
mod get;
mod group;
mod ingest;
mod pattern;
mod stream;
mod tags;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;
use chrono::Utc;

pub(crate) use group::{LogGroup, check_class, check_retention};

pub(crate) static SERVICE: Service = Service {
    tagged,
    ..Service::new(
        "CloudWatch Logs",
        wire::Service::json("logs", "1.1", &["Logs_20140328"]),
        INVALID,
        &[
            Operation::now("CreateLogGroup", |call| group::create_log_group(&call.endpoint, call.decode()?)),
            Operation::now("DeleteLogGroup", |call| group::delete_log_group(&call.endpoint, call.decode()?)),
            Operation::now("DescribeLogGroups", |call| group::describe_log_groups(&call.endpoint, call.decode()?)),
            Operation::now("PutRetentionPolicy", |call| group::put_retention_policy(&call.endpoint, call.decode()?)),
            Operation::now("DeleteRetentionPolicy", |call| {
                group::delete_retention_policy(&call.endpoint, call.decode()?)
            }),
            Operation::now("CreateLogStream", |call| stream::create_log_stream(&call.endpoint, call.decode()?)),
            Operation::now("DeleteLogStream", |call| stream::delete_log_stream(&call.endpoint, call.decode()?)),
            Operation::now("DescribeLogStreams", |call| stream::describe_log_streams(&call.endpoint, call.decode()?)),
            Operation::now("PutLogEvents", |call| ingest::put_log_events(&call.endpoint, call.decode()?)),
            Operation::now("GetLogEvents", |call| get::get_log_events(&call.endpoint, call.decode()?)),
            Operation::now("FilterLogEvents", |call| filter::filter_log_events(&call.endpoint, call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, call.decode()?)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, call.decode()?)),
            Operation::now("TagLogGroup", |call| tags::tag_log_group(&call.endpoint, call.decode()?)),
            Operation::now("UntagLogGroup", |call| tags::untag_log_group(&call.endpoint, call.decode()?)),
            Operation::now("ListTagsLogGroup", |call| tags::list_tags_log_group(&call.endpoint, call.decode()?)),
        ],
    )
};

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
fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let groups = tx.list::<LogGroup>()?.into_iter().filter(|group| !group.tags.is_empty());
    Ok(groups.map(|group| Tagged { arn: group.arn, tags: group.tags }).collect())
}

const INVALID: &str = "InvalidParameterException";

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
