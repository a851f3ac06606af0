//! Elastic Container Registry: repositories and their images.
//!
//! - `repository`, `image`, `layer`, `image_use`: what is recorded
//! - `repositories`, `creation`, `settings`, `tags`, `images`, `batch`: the calls that show and change it; `image_id`: how they name
//!   images
//! - `pull`: from an image reference to a file system and a configuration
//! - `collection`: the files of images that go when nothing refers to them any more
//! - `authorization`: the passwords with which `registry` lets images in and out

pub(crate) mod authorization;
mod batch;
pub(crate) mod collection;
mod creation;
pub(crate) mod image;
mod image_id;
pub(crate) mod image_use;
mod images;
pub(crate) mod layer;
mod permission;
pub(crate) mod pull;
mod refusal;
mod repositories;
pub(crate) mod repository;
mod settings;
mod tags;

use self::refusal::INVALID;
use self::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    resume: |endpoint| collection::resume(endpoint),
    tagged,
    ..Service::new(
        "ECR",
        wire::Service::json("ecr", "1.1", &["AmazonEC2ContainerRegistry_V20150921"]),
        INVALID,
        &[
            Operation::now("BatchDeleteImage", |call| batch::batch_delete_image(&call.endpoint, call.decode()?)),
            Operation::now("BatchGetImage", |call| batch::batch_get_image(&call.endpoint, call.decode()?)),
            Operation::now("CreateRepository", |call| creation::create_repository(&call.endpoint, call.decode()?)),
            Operation::now("DeleteRepository", |call| creation::delete_repository(&call.endpoint, call.decode()?)),
            Operation::now("DescribeImages", |call| images::describe_images(&call.endpoint, call.decode()?)),
            Operation::now("DescribeRepositories", |call| {
                repositories::describe_repositories(&call.endpoint, &call.decode()?)
            }),
            Operation::now("GetAuthorizationToken", |call| {
                authorization::get_authorization_token(&call.endpoint, call.decode()?)
            }),
            Operation::now("GetLifecyclePolicy", |call| {
                repositories::get_lifecycle_policy(&call.endpoint, &call.decode()?)
            }),
            Operation::now("GetRepositoryPolicy", |call| {
                repositories::get_repository_policy(&call.endpoint, &call.decode()?)
            }),
            Operation::now("ListImages", |call| images::list_images(&call.endpoint, call.decode()?)),
            Operation::now("ListTagsForResource", |call| tags::list_tags_for_resource(&call.endpoint, &call.decode()?)),
            Operation::now("PutImageScanningConfiguration", |call| {
                settings::put_image_scanning_configuration(&call.endpoint, call.decode()?)
            }),
            Operation::now("PutImageTagMutability", |call| {
                settings::put_image_tag_mutability(&call.endpoint, call.decode()?)
            }),
            Operation::now("PutLifecyclePolicy", |call| settings::put_lifecycle_policy(&call.endpoint, call.decode()?)),
            Operation::now("TagResource", |call| tags::tag_resource(&call.endpoint, call.decode()?)),
            Operation::now("UntagResource", |call| tags::untag_resource(&call.endpoint, call.decode()?)),
        ],
    )
};

/// Every tagged resource of the service.
fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let repositories = tx.list::<Repository>()?.into_iter().filter(|one| !one.settings.tags.is_empty());
    Ok(repositories.map(|one| Tagged { arn: one.arn(endpoint), tags: one.settings.tags }).collect())
}
