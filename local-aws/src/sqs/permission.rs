//! What a role must be allowed for a call of SQS: which action on which queue.

use serde_json::Value;

use super::move_task::source_in_handle;
use super::queue::{Queue, name_in_url};
use crate::error::ApiError;
use crate::service::{Call, Need};
use crate::store::Tx;

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    let operation = call.operation.name;
    // A batch is allowed as each of its entries would be.
    let action = format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation));
    if let Some(needs) = of_move_task(call)? {
        return Ok(needs);
    }
    let queue = match (text("QueueUrl"), text("QueueName")) {
        (Some(url), _) => name_in_url(&call.endpoint, url)?,
        (None, Some(name)) => name,
        (None, None) => return Ok(vec![Need::new(action, "*")]),
    };
    let own = call.endpoint.store.read(|tx| Ok(tx.get::<Queue>(queue)?.map(|queue| queue.tags).unwrap_or_default()))?;
    let of_queue = |action: &str| {
        let need = Need::new(action, call.endpoint.arn("sqs", queue));
        own.iter().fold(need, |need, (key, value)| need.with(format!("aws:ResourceTag/{key}"), value))
    };
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

/// A task receives from the one queue, and sends to the other, in the name of who starts it.
fn of_move_task(call: &Call) -> Result<Option<Vec<Need>>, ApiError> {
    let text = |member: &str| call.input[member].as_str().map(str::to_owned);
    let source = || text("SourceArn").unwrap_or_else(|| "*".to_owned());
    let of_source = |action: &str| Need::new(format!("sqs:{action}"), source());
    Ok(match call.operation.name {
        "StartMessageMoveTask" => {
            let actions = ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
            let targets = match text("DestinationArn") {
                Some(arn) => vec![arn],
                None => call.endpoint.store.read(|tx| match Queue::of_arn(&call.endpoint, tx, &source()) {
                    Ok(queue) => Ok(queue.sources(&call.endpoint, tx)?.map(|it| it.arn(&call.endpoint)).collect()),
                    // The call itself says so.
                    Err(_) => Ok(Vec::new()),
                })?,
            };
            let targets = targets.into_iter().map(|arn| Need::new("sqs:SendMessage", arn));
            Some(actions.into_iter().map(of_source).chain(targets).collect())
        }
        "ListMessageMoveTasks" => Some(vec![of_source("ListMessageMoveTasks")]),
        "CancelMessageMoveTask" => {
            let source = text("TaskHandle").and_then(|handle| source_in_handle(&handle));
            Some(vec![Need::new("sqs:CancelMessageMoveTask", source.unwrap_or_else(|| "*".to_owned()))])
        }
        _ => None,
    })
}

/// The policy of the queue with this ARN.
pub(super) fn resource_policy(tx: &Tx<'_>, arn: &str) -> Result<Option<Value>, ApiError> {
    let queue = tx.get::<Queue>(arn.rsplit(':').next().unwrap_or_default())?;
    Ok(queue.and_then(|queue| queue.settings.policy).map(Value::String))
}
