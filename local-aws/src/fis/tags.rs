//! The calls for tags of templates and experiments.

use serde::Deserialize;
use serde_json::{Value, json};

use super::experiment::Experiment;
use super::refusal::not_found;
use super::tag::{Tags, check};
use super::template::Template;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TagResource {
    resource_arn: String,
    tags: Tags,
}

pub(super) fn tag_resource(endpoint: &Endpoint, input: TagResource) -> Result<Value, ApiError> {
    check(&input.tags)?;
    endpoint.store.write(|tx| {
        change(endpoint, tx, &input.resource_arn, |tags| {
            tags.extend(input.tags);
            // CloudFormation's own tags do not count.
            let own: Tags = tags.clone().into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect();
            check(&own)
        })
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UntagResource {
    resource_arn: String,
    /// Without it, all tags are removed: AWS's model does not require it.
    tag_keys: Option<Vec<String>>,
}

pub(super) fn untag_resource(endpoint: &Endpoint, input: UntagResource) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        change(endpoint, tx, &input.resource_arn, |tags| {
            let removed = |key: &String| input.tag_keys.as_ref().is_none_or(|keys| keys.contains(key));
            tags.retain(|key, _| key.starts_with("aws:") || !removed(key));
            Ok(())
        })
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListTagsForResource {
    resource_arn: String,
}

pub(super) fn list_tags_for_resource(endpoint: &Endpoint, input: ListTagsForResource) -> Result<Value, ApiError> {
    let tags = endpoint.store.read(|tx| {
        let mut found = Tags::new();
        match find(endpoint, tx, &input.resource_arn)? {
            Resource::Template(template) => found.extend(template.tags),
            Resource::Experiment(experiment) => found.extend(experiment.tags),
        }
        Ok(found)
    })?;
    Ok(json!({"tags": tags}))
}

enum Resource {
    Template(Box<Template>),
    Experiment(Box<Experiment>),
}

fn find(endpoint: &Endpoint, tx: &Tx<'_>, arn: &str) -> Result<Resource, ApiError> {
    let own = arn.strip_prefix(&endpoint.arn("fis", ""));
    let resource = match own.and_then(|resource| resource.split_once('/')) {
        Some(("experiment-template", id)) => tx.get(id)?.map(|template| Resource::Template(Box::new(template))),
        Some(("experiment", id)) => tx.get(id)?.map(|experiment| Resource::Experiment(Box::new(experiment))),
        _ => None,
    };
    resource.ok_or_else(|| not_found(format!("Resource {arn} not found.")))
}

fn change(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    arn: &str,
    body: impl FnOnce(&mut Tags) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    match find(endpoint, tx, arn)? {
        Resource::Template(mut template) => {
            body(&mut template.tags)?;
            tx.put(template.as_ref())
        }
        Resource::Experiment(mut experiment) => {
            body(&mut experiment.tags)?;
            tx.put(experiment.as_ref())
        }
    }
}
