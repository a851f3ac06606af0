//! Elastic Container Registry: repositories and their images.
//!
//! - `repository`, `image`: what is recorded; `repositories`, `creation`, `images`, `batch`: the calls that show and change it
//! - `authorization`: the passwords with which `registry` lets images in and out

pub(crate) mod authorization;
mod batch;
mod creation;
pub(crate) mod image;
mod images;
mod repositories;
pub(crate) mod repository;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use self::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tagging::Tagged;

const INVALID: &str = "InvalidParameterException";

/// One call of the service.
pub(crate) fn call(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Result<Value, ApiError> {
    match operation {
        "BatchDeleteImage" => batch::batch_delete_image(endpoint, input),
        "BatchGetImage" => batch::batch_get_image(endpoint, input),
        "CreateRepository" => creation::create_repository(endpoint, input),
        "DeleteRepository" => creation::delete_repository(endpoint, input),
        "DescribeImages" => images::describe_images(endpoint, input),
        "DescribeRepositories" => repositories::describe_repositories(endpoint, input),
        "GetAuthorizationToken" => authorization::get_authorization_token(endpoint, input),
        "GetLifecyclePolicy" => repositories::get_lifecycle_policy(endpoint, input),
        "GetRepositoryPolicy" => repositories::get_repository_policy(endpoint, input),
        "ListImages" => images::list_images(endpoint, input),
        "ListTagsForResource" => repositories::list_tags_for_resource(endpoint, input),
        "TagResource" => creation::tag_resource(endpoint, input),
        "UntagResource" => creation::untag_resource(endpoint, input),
        other => Err(ApiError::unknown_operation("ecr", other)),
    }
}

fn check_registry(endpoint: &Endpoint, registry_id: Option<&str>) -> Result<(), ApiError> {
    match registry_id {
        Some(other) if other != endpoint.identity.account_id => {
            Err(ApiError::unsupported(format!("The registry {other}")))
        }
        _ => Ok(()),
    }
}

/// A time as the API has it.
fn seconds(time: DateTime<Utc>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double exactly")]
    let milliseconds = time.timestamp_millis() as f64;
    milliseconds / 1000.0
}

/// Every tagged resource of the service.
pub(crate) fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let repositories = tx.list::<Repository>()?.into_iter().filter(|one| !one.settings.tags.is_empty());
    Ok(repositories.map(|one| Tagged { arn: one.arn(endpoint), tags: one.settings.tags }).collect())
}
