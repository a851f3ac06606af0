//! The calls for several images at once: what cannot be done for one is told beside what was done for the others.

use serde::Deserialize;
use serde_json::{Value, json};

use super::collection::collect;
use super::image::Image;
use super::image_id::{ImageId, check_ids, ids};
use super::refusal::check_registry;
use super::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::images::ImageStore;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BatchGetImage {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Vec<ImageId>,
    #[serde(default)]
    accepted_media_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BatchDeleteImage {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Vec<ImageId>,
}

pub(super) fn batch_get_image(endpoint: &Endpoint, input: BatchGetImage) -> Result<Value, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    check_ids(&input.image_ids)?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    endpoint.store.write(|tx| {
        Repository::get(endpoint, tx, &input.repository_name)?;
        for id in &input.image_ids {
            match id.find(tx, &input.repository_name)? {
                Ok(image) => {
                    // ECR translates between the types of manifests; here an image has the type that it was pushed as.
                    if !input.accepted_media_types.is_empty() && !input.accepted_media_types.contains(&image.media_type)
                    {
                        return Err(ApiError::unsupported(format!(
                            "The image {} in another type than {}, which is not among acceptedMediaTypes,",
                            image.digest, image.media_type
                        )));
                    }
                    Image::note_pull(tx, &input.repository_name, &image.digest)?;
                    found.push((id, image));
                }
                Err(failure) => failures.push(id.failed(failure)),
            }
        }
        Ok(())
    })?;
    let shown: Vec<Value> = found
        .into_iter()
        .map(|(id, image)| {
            let path = ImageStore::of(endpoint).blob(&image.digest);
            let manifest = std::fs::read_to_string(&path).map_err(|error| {
                ApiError::internal(format!("The manifest {} cannot be read: {error}", path.display()))
            })?;
            let image_id = ImageId { image_digest: Some(image.digest), image_tag: id.image_tag.clone() };
            Ok(json!({
                "registryId": endpoint.identity.account_id,
                "repositoryName": image.repository,
                "imageId": image_id,
                "imageManifest": manifest,
                "imageManifestMediaType": image.media_type,
            }))
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(json!({"images": shown, "failures": failures}))
}

pub(super) fn batch_delete_image(endpoint: &Endpoint, input: BatchDeleteImage) -> Result<Value, ApiError> {
    check_registry(endpoint, input.registry_id.as_deref())?;
    check_ids(&input.image_ids)?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    endpoint.store.write(|tx| {
        Repository::get(endpoint, tx, &input.repository_name)?;
        for id in &input.image_ids {
            let removed = match id.find(tx, &input.repository_name)? {
                Ok(image) => image.remove(tx, id.image_tag.as_deref())?,
                Err(failure) => Err(failure),
            };
            match removed {
                Ok(gone) => deleted.extend(ids(&gone)),
                Err(failure) => failures.push(id.failed(failure)),
            }
        }
        Ok(())
    })?;
    collect(endpoint);
    Ok(json!({"imageIds": deleted, "failures": failures}))
}
