//! Tags of clusters, task definitions and tasks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::refusal::invalid;
use super::tag::{self, Tag, Tags};
use super::task::Task;
use super::task_definition::{DefinitionStatus, TaskDefinition};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Tagged;
use crate::store::Tx;

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
pub(super) struct TagResource {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: TagResource) -> Result<Value, ApiError> {
    let added = tag::read(input.tags)?;
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
pub(super) struct UntagResource {
    resource_arn: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: UntagResource) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut resource = Resource::find(endpoint, tx, &input.resource_arn)?;
        resource.tags().retain(|key, _| !input.tag_keys.contains(key));
        resource.save(tx)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListTagsForResource {
    resource_arn: String,
}

pub(super) fn list_tags_for_resource(endpoint: &Endpoint, input: ListTagsForResource) -> Result<Value, ApiError> {
    endpoint.store.read(|tx| {
        let mut resource = Resource::find(endpoint, tx, &input.resource_arn)?;
        Ok(json!({"tags": tag::shown(resource.tags())}))
    })
}

/// Every tagged resource of the service.
pub(super) fn tagged(_endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let clusters = tx.list::<Cluster>()?.into_iter().filter(Cluster::is_active).map(|one| (one.arn, one.tags));
    let definitions = tx
        .list::<TaskDefinition>()?
        .into_iter()
        .filter(|definition| definition.status == DefinitionStatus::Active)
        .map(|one| (one.arn, one.tags));
    let tasks = tx.list::<Task>()?.into_iter().map(|one| (one.arn, one.tags));
    Ok(clusters
        .chain(definitions)
        .chain(tasks)
        .filter(|(_, tags)| !tags.is_empty())
        .map(|(arn, tags)| Tagged { arn, tags })
        .collect())
}
