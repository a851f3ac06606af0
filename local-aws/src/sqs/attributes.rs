//! GetQueueAttributes and SetQueueAttributes.

use std::collections::BTreeMap;

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::message::{self, Counts};
use super::queue::Queue;
use super::refusal::unknown_attribute;
use super::settings;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// The attributes that nobody sets.
const READ_ONLY: &[&str] = &[
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// Those that no standard queue has without a key, and no other one is here. They may be asked for.
const OF_OTHERS: &[&str] = &[
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

pub(super) fn get_queue_attributes(endpoint: &Endpoint, input: &GetQueueAttributes) -> Result<Value, ApiError> {
    let known = || READ_ONLY.iter().chain(settings::NAMES);
    let is_known = |name: &&str| *name == "All" || known().chain(OF_OTHERS).any(|it| it == name);
    let asked: Vec<&str> = input.attribute_names.iter().map(String::as_str).collect();
    if let Some(other) = asked.iter().find(|name| !is_known(name)) {
        return Err(unknown_attribute(other));
    }
    let (queue, counts) = endpoint.store.write(|tx| {
        let (queue, now) = (Queue::at(endpoint, tx, &input.queue_url)?, Utc::now().timestamp_millis());
        message::delete_expired(tx, &queue, now)?;
        let counts = Counts::of(tx, &queue.name, now)?;
        Ok((queue, counts))
    })?;
    let value = |name: &str| match name {
        "ApproximateNumberOfMessages" => Some(counts.visible.to_string()),
        "ApproximateNumberOfMessagesDelayed" => Some(counts.delayed.to_string()),
        "ApproximateNumberOfMessagesNotVisible" => Some(counts.in_flight.to_string()),
        "CreatedTimestamp" => Some(queue.created_at.timestamp().to_string()),
        "LastModifiedTimestamp" => Some(queue.modified_at.timestamp().to_string()),
        "QueueArn" => Some(queue.arn(endpoint)),
        name => queue.settings.get(name),
    };
    let wanted = known().filter(|name| asked.contains(name) || asked.contains(&"All"));
    let shown: Map<String, Value> = wanted.filter_map(|name| Some(((*name).to_owned(), json!(value(name)?)))).collect();
    Ok(if shown.is_empty() { json!({}) } else { json!({"Attributes": shown}) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

pub(super) fn set_queue_attributes(endpoint: &Endpoint, input: &SetQueueAttributes) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        let (mut settings, tags) = (queue.settings.clone(), queue.tags.clone());
        input.attributes.iter().try_for_each(|(name, value)| settings.set(name, value))?;
        queue.change(endpoint, tx, settings, tags)
    })?;
    Ok(json!({}))
}
