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

use chrono::{DateTime, Utc};

use self::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

const INVALID: &str = "InvalidParameterException";

pub(crate) static SERVICE: Service = Service {
    resume: |endpoint| crate::images::resume(endpoint),
    tagged,
    ..Service::new(
        "ECR",
        wire::Service::json("ecr", "1.1", &["AmazonEC2ContainerRegistry_V20150921"]),
        INVALID,
        &[
            Operation::now("BatchDeleteImage", |call| batch::batch_delete_image(&call.endpoint, call.input)),
            Operation::now("BatchGetImage", |call| batch::batch_get_image(&call.endpoint, call.input)),
            Operation::now("CreateRepository", |call| creation::create_repository(&call.endpoint, call.input)),
            Operation::now("DeleteRepository", |call| creation::delete_repository(&call.endpoint, call.input)),
            Operation::now("DescribeImages", |call| images::describe_images(&call.endpoint, call.input)),
            Operation::now("DescribeRepositories", |call| {
                repositories::describe_repositories(&call.endpoint, call.input)
            }),
            Operation::now("GetAuthorizationToken", |call| {
                authorization::get_authorization_token(&call.endpoint, call.input)
            }),
            Operation::now("GetLifecyclePolicy", |call| repositories::get_lifecycle_policy(&call.endpoint, call.input)),
            Operation::now("GetRepositoryPolicy", |call| {
                repositories::get_repository_policy(&call.endpoint, call.input)
            }),
            Operation::now("ListImages", |call| images::list_images(&call.endpoint, call.input)),
            Operation::now("ListTagsForResource", |call| {
                repositories::list_tags_for_resource(&call.endpoint, call.input)
            }),
            Operation::now("TagResource", |call| creation::tag_resource(&call.endpoint, call.input)),
            Operation::now("UntagResource", |call| creation::untag_resource(&call.endpoint, call.input)),
        ],
    )
};

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
fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let repositories = tx.list::<Repository>()?.into_iter().filter(|one| !one.settings.tags.is_empty());
    Ok(repositories.map(|one| Tagged { arn: one.arn(endpoint), tags: one.settings.tags }).collect())
}
