//! CloudWatch Logs: groups and streams are records, events are rows of their own table.
//!
//! - `group`, `stream`, `event`: what there is; `groups`, `streams`, `tags`: the calls that show and change it
//! - `write`: what goes into a stream; `ingest`: PutLogEvents
//! - `get`, `filter`, `pattern`: GetLogEvents and FilterLogEvents

mod event;
mod filter;
mod get;
mod group;
mod groups;
mod ingest;
mod page;
mod pattern;
mod permission;
mod refusal;
mod stream;
mod streams;
mod tags;
mod write;

use self::refusal::INVALID;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) use group::{LogGroup, check_class, check_retention};
pub(crate) use write::{append, ensure_stream};

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    tagged,
    ..Service::new(
        "CloudWatch Logs",
        wire::Service::json("logs", "1.1", &["Logs_20140328"]),
        INVALID,
        &[
            Operation::now("CreateLogGroup", |call| groups::create_log_group(&call.endpoint, call.decode()?)),
            Operation::now("DeleteLogGroup", |call| groups::delete_log_group(&call.endpoint, call.decode()?)),
            Operation::now("DescribeLogGroups", |call| groups::describe_log_groups(&call.endpoint, call.decode()?)),
            Operation::now("PutRetentionPolicy", |call| groups::put_retention_policy(&call.endpoint, call.decode()?)),
            Operation::now("DeleteRetentionPolicy", |call| {
                groups::delete_retention_policy(&call.endpoint, call.decode()?)
            }),
            Operation::now("CreateLogStream", |call| streams::create_log_stream(&call.endpoint, call.decode()?)),
            Operation::now("DeleteLogStream", |call| streams::delete_log_stream(&call.endpoint, call.decode()?)),
            Operation::now("DescribeLogStreams", |call| streams::describe_log_streams(&call.endpoint, call.decode()?)),
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

/// Every tagged resource of the service.
fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let groups = tx.list::<LogGroup>()?.into_iter().filter(|group| !group.tags.is_empty());
    Ok(groups.map(|group| Tagged { arn: group.arn, tags: group.tags }).collect())
}
