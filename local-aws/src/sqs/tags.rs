//! Tags of queues.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::queue::{One, Queue};
use super::refusal::invalid;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Tagged;
use crate::store::Tx;
use crate::tag::is_text;

/// How many tags a queue may have.
const MOST: usize = 50;

/// Refuses tags that a person may not set.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid("Tag keys must be between 1 and 128 characters in length, values up to 256."));
        }
        if !is_text(key) || !is_text(value) {
            return Err(invalid(format!("The tag {} has characters that tags cannot have.", key.escape_debug())));
        }
        if key.starts_with("aws:") {
            return Err(invalid("Tag keys starting with aws: are reserved for AWS."));
        }
    }
    check_number(tags)
}

fn check_number(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > MOST { Err(invalid(format!("Too many tags added for queue: at most {MOST}."))) } else { Ok(()) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct TagQueue {
    queue_url: String,
    tags: BTreeMap<String, String>,
}

pub(super) fn tag_queue(endpoint: &Endpoint, input: TagQueue) -> Result<Value, ApiError> {
    check(&input.tags)?;
    endpoint.store.write(|tx| {
        let mut queue = Queue::at(endpoint, tx, &input.queue_url)?;
        queue.tags.extend(input.tags);
        check_number(&queue.tags)?;
        tx.put(&queue)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct UntagQueue {
    queue_url: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag_queue(endpoint: &Endpoint, input: &UntagQueue) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut queue = Queue::at(endpoint, tx, &input.queue_url)?;
        queue.tags.retain(|key, _| !input.tag_keys.contains(key));
        tx.put(&queue)
    })?;
    Ok(json!({}))
}

pub(super) fn list_queue_tags(endpoint: &Endpoint, input: &One) -> Result<Value, ApiError> {
    let queue = endpoint.store.read(|tx| Queue::at(endpoint, tx, &input.queue_url))?;
    Ok(if queue.tags.is_empty() { json!({}) } else { json!({"Tags": queue.tags}) })
}

/// Every tagged queue.
pub(super) fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let queues = tx.list::<Queue>()?.into_iter();
    Ok(queues.map(|queue| Tagged { arn: queue.arn(endpoint), tags: queue.tags }).collect())
}
