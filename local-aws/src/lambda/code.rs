//! From the name of an image to what a function runs.

use oci_spec::image::ImageManifest;

use super::function::{Code, Function};
use super::refusal::{INVALID, invalid, refused};
use crate::ecr::image::{Image, registry};
use crate::ecr::image_use::ImageUse;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::images::ImageStore;
use crate::store::Tx;

/// Finds the image, whose digest stays although its tag may move.
///
/// # Errors
/// AWS's when it is not there, or is none that a function can run.
pub(super) fn resolve(endpoint: &Endpoint, tx: &Tx<'_>, image_uri: &str) -> Result<Code, ApiError> {
    let (repository, reference) = split(endpoint, image_uri)?;
    let image = Image::find(tx, repository, reference)?
        .ok_or_else(|| invalid(format!("Source image {image_uri} does not exist. Provide a valid source image.")))?;
    let unsupported = || {
        invalid(format!(
            "The image manifest, config or layer media type for the source image {image_uri} is not supported."
        ))
    };
    if image.is_index() {
        return Err(unsupported());
    }
    // What is damaged is found now and not by the first invocation.
    let manifest = ImageStore::of(endpoint).read_blob(&image.digest).ok();
    manifest.and_then(|bytes| ImageManifest::from_reader(bytes.as_slice()).ok()).ok_or_else(unsupported)?;
    let resolved_image_uri = format!("{}/{repository}@{}", registry(endpoint), image.digest);
    Ok(Code { image_uri: image_uri.to_owned(), resolved_image_uri, digest: image.digest })
}

/// Repository and tag or digest.
fn split<'a>(endpoint: &Endpoint, image_uri: &'a str) -> Result<(&'a str, &'a str), ApiError> {
    let (host, rest) = image_uri.split_once('/').unwrap_or((image_uri, ""));
    if !host.contains(".dkr.ecr.") || rest.is_empty() {
        return Err(invalid(format!("Source image {image_uri} is not valid. Provide a valid source image.")));
    }
    if host != registry(endpoint) {
        return Err(refused(
            INVALID,
            400,
            format!(
                "Source image {image_uri} is not in the registry of this account and region, {}.",
                registry(endpoint)
            ),
        ));
    }
    if let Some((rest, digest)) = rest.split_once('@') {
        return Ok((rest.split(':').next().unwrap_or_default(), digest));
    }
    rest.split_once(':')
        .ok_or_else(|| invalid(format!("Source image {image_uri} is not valid. Provide a valid source image.")))
}

/// Says that the function needs the files of its image; in the transaction that gives it the image.
pub(super) fn keep(tx: &Tx<'_>, function: &Function) -> Result<(), ApiError> {
    ImageUse::begin(tx, &function.arn, &function.code.digest)
}

/// The architecture in `Architectures`, and Docker's name for it.
pub(super) fn architecture(list: Option<&[String]>) -> Result<String, ApiError> {
    match list {
        None => Ok("x86_64".to_owned()),
        Some([one]) if one == "x86_64" || one == "arm64" => Ok(one.clone()),
        Some(other) => Err(invalid(format!(
            "Value {other:?} at 'architectures' failed to satisfy constraint: one of x86_64 and arm64."
        ))),
    }
}

/// Docker's name for an architecture.
pub(super) fn docker_architecture(architecture: &str) -> &'static str {
    if architecture == "arm64" { "arm64" } else { "amd64" }
}
