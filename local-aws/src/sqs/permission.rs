//! What a role must be allowed for a call of SQS: which action on which queue.

use serde_json::Value;

use super::queue::{Queue, name_in_url};
use crate::error::ApiError;
use crate::service::{Call, Need};
use crate::store::Tx;

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    let operation = call.operation.name;
    // A batch is allowed as each of its entries would be.
    let action = format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation));
    let queue = match (text("QueueUrl"), text("QueueName")) {
        (Some(url), _) => name_in_url(&call.endpoint, url)?,
        (None, Some(name)) => name,
        (None, None) => return Ok(vec![Need::new(action, "*")]),
    };
    let of_queue = |action: &str| Need::new(action, call.endpoint.arn("sqs", queue));
    let tags = call.input["tags"].as_object().or_else(|| call.input["Tags"].as_object());
    let with_tags = |need: Need| {
        let tags = tags.into_iter().flatten();
        tags.fold(need, |need, (key, value)| {
            need.with(format!("aws:RequestTag/{key}"), value.as_str().unwrap_or_default())
        })
    };
    let mut needs = vec![with_tags(of_queue(&action))];
    if operation == "CreateQueue" && tags.is_some_and(|tags| !tags.is_empty()) {
        needs.push(with_tags(of_queue("sqs:TagQueue")));
    }
    Ok(needs)
}

/// The policy of the queue with this ARN.
pub(super) fn resource_policy(tx: &Tx<'_>, arn: &str) -> Result<Option<Value>, ApiError> {
    let queue = tx.get::<Queue>(arn.rsplit(':').next().unwrap_or_default())?;
    Ok(queue.and_then(|queue| queue.settings.policy).map(Value::String))
}
