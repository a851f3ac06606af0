//! Tags of clusters, task definitions and tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::task::Task;
use super::task_definition::TaskDefinition;
use super::{INVALID, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire;

/// Tags by their keys.
pub(super) type Tags = BTreeMap<String, String>;

/// A tag as the API writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// The tags of a request.
///
/// # Errors
/// Against AWS's limits.
pub(super) fn read(list: Vec<Tag>) -> Result<Tags, ApiError> {
    let length = list.len();
    let tags: Tags = list.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if tags.len() < length {
        return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    validate(&tags)?;
    Ok(tags)
}

fn validate(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(invalid("The number of tags exceeds the limit of 50."));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!(
                "The tag '{key}' is not valid: a key has 1 to 128 characters, a value at most 256."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("The tag key '{key}' is not valid: the prefix aws: is reserved for AWS use.")));
        }
    }
    Ok(())
}

/// The tags of an answer.
pub(super) fn wire(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Something that has tags.
enum Resource {
    Cluster(Cluster),
    TaskDefinition(Box<TaskDefinition>),
    Task(Box<Task>),
}

impl Resource {
    fn find(endpoint: &Endpoint, tx: &Tx<'_>, arn: &str) -> Result<Self, ApiError> {
        let prefix = endpoint.arn("ecs", "");
        let Some((kind, rest)) = arn.strip_prefix(&prefix).and_then(|resource| resource.split_once('/')) else {
            return Err(invalid(format!("Invalid identifier: Invalid resource ARN: {arn}")));
        };
        let found = match kind {
            "cluster" => tx.get::<Cluster>(rest)?.filter(|cluster| cluster.is_active()).map(Self::Cluster),
            "task-definition" => TaskDefinition::find(tx, rest)?.map(|one| Self::TaskDefinition(Box::new(one))),
            "task" => tx.get::<Task>(rest)?.filter(|task| !task.is_stopped()).map(|one| Self::Task(Box::new(one))),
            _ => return Err(ApiError::unsupported(format!("Tagging of the ECS resource {kind}"))),
        };
        found.ok_or_else(|| match kind {
            "cluster" => ApiError::new("ClusterNotFoundException", "Cluster not found."),
            _ => invalid(format!("The specified {} is not found.", kind.replace('-', " "))),
        })
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Self::Cluster(cluster) => &mut cluster.tags,
            Self::TaskDefinition(definition) => &mut definition.tags,
            Self::Task(task) => &mut task.tags,
        }
    }

    fn save(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        match self {
            Self::Cluster(cluster) => tx.put(cluster),
            Self::TaskDefinition(definition) => tx.put(definition.as_ref()),
            Self::Task(task) => tx.put(task.as_ref()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TagResource {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn tag_resource(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: TagResource = wire::decode(INVALID, "TagResource", input)?;
    let added = read(input.tags)?;
    endpoint.store.write(|tx| {
        let mut resource = Resource::find(endpoint, tx, &input.resource_arn)?;
        let tags = resource.tags();
        tags.extend(added);
        if tags.keys().filter(|key| !key.starts_with("aws:")).count() > 50 {
            return Err(ApiError::new("LimitExceededException", "The number of tags exceeds the limit of 50."));
        }
        resource.save(tx)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UntagResource {
    resource_arn: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: UntagResource = wire::decode(INVALID, "UntagResource", input)?;
    endpoint.store.write(|tx| {
        let mut resource = Resource::find(endpoint, tx, &input.resource_arn)?;
        resource.tags().retain(|key, _| !input.tag_keys.contains(key));
        resource.save(tx)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListTagsForResource {
    resource_arn: String,
}

pub(super) fn list_tags_for_resource(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: ListTagsForResource = wire::decode(INVALID, "ListTagsForResource", input)?;
    endpoint.store.read(|tx| {
        let mut resource = Resource::find(endpoint, tx, &input.resource_arn)?;
        Ok(json!({"tags": wire(resource.tags())}))
    })
}
