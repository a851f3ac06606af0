//! Blobs on their way in: POST begins an upload, PATCH or PUT brings the bytes, PUT ends it with their digest.
//!
//! ECR answers a PATCH with 201 where the specification says 202, and takes one PATCH only: of what comes after it the
//! bytes are lost, or it is refused. Here it is refused, so that nobody's push works on this machine only.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use http_body_util::BodyExt;

use super::request::{Request, check_digest, respond};
use crate::ecr::layer::Layer;
use crate::ecr::repository::Repository;
use crate::error::ApiError;
use crate::images::{ImageStore, Upload, unwritable};

/// ECR mounts blobs of other repositories only for accounts that have switched it on: without, as here, a `mount` is
/// answered by an upload, as the specification allows.
pub(super) async fn begin(request: &Request<'_>, name: &str, body: Body) -> Result<Response, ApiError> {
    request.repository(name)?;
    let digest = request.query("digest").filter(|_| request.query("mount").is_none());
    if let Some(digest) = &digest {
        check_digest(digest)?;
    }
    let images = ImageStore::of(request.endpoint);
    let mut upload = images.begin_upload(name).map_err(|error| unwritable(images.directory(), &error))?;
    if let Some(digest) = digest {
        upload.append(body).await?;
        return finish(request, name, upload, &digest);
    }
    keep(request, name, upload, StatusCode::ACCEPTED)
}

pub(super) fn status(request: &Request<'_>, name: &str, id: &str) -> Result<Response, ApiError> {
    let upload = take(request, name, id)?;
    keep(request, name, upload, StatusCode::NO_CONTENT)
}

pub(super) async fn patch(request: &Request<'_>, name: &str, id: &str, body: Body) -> Result<Response, ApiError> {
    let mut upload = take(request, name, id)?;
    let first = request.parts.headers.get("content-range").and_then(|value| value.to_str().ok());
    let first = first.map_or("0", |range| range.split('-').next().unwrap_or(range));
    if upload.received > 0 || first != "0" {
        return Err(refuse_part(request, name, upload, first, body).await);
    }
    upload.append(body).await?;
    keep(request, name, upload, StatusCode::CREATED)
}

pub(super) async fn put(request: &Request<'_>, name: &str, id: &str, body: Body) -> Result<Response, ApiError> {
    let mut upload = take(request, name, id)?;
    let Some(digest) = request.query("digest") else {
        return Err(ApiError::new("DIGEST_INVALID", "The last request of an upload needs the parameter digest."));
    };
    check_digest(&digest)?;
    let before = upload.received;
    upload.append(body).await?;
    if before > 0 && upload.received > before {
        return Err(one_part_only(before, "0"));
    }
    finish(request, name, upload, &digest)
}

pub(super) fn delete(request: &Request<'_>, name: &str, id: &str) -> Result<Response, ApiError> {
    take(request, name, id)?;
    respond(StatusCode::NO_CONTENT, &[])
}

fn take(request: &Request<'_>, name: &str, id: &str) -> Result<Upload, ApiError> {
    request.repository(name)?;
    ImageStore::of(request.endpoint).take_upload(name, id).ok_or_else(|| {
        ApiError::new(
            "BLOB_UPLOAD_UNKNOWN",
            format!(
                "There is no upload {id} to the repository '{name}', or another request works on it; begin a new one."
            ),
        )
        .status(404)
    })
}

/// Lets the upload wait, and says where and how far it is.
fn keep(request: &Request<'_>, name: &str, upload: Upload, status: StatusCode) -> Result<Response, ApiError> {
    let id = upload.id.clone();
    let location = format!("/v2/{name}/blobs/uploads/{id}");
    let range = format!("0-{}", upload.received.saturating_sub(1));
    wait(request, name, upload)?;
    respond(status, &[("location", &location), ("range", &range), ("docker-upload-uuid", &id)])
}

/// Puts the upload where a collection finds it. One that came before did not: then the repository is gone, and nobody
/// would come for the upload.
fn wait(request: &Request<'_>, name: &str, upload: Upload) -> Result<(), ApiError> {
    let (images, id) = (ImageStore::of(request.endpoint), upload.id.clone());
    images.keep_upload(upload);
    request.repository(name).map(drop).inspect_err(|_| drop(images.take_upload(name, &id)))
}

/// Reads the part to its end, so that the client reads the answer, and leaves the upload as it was.
async fn refuse_part(request: &Request<'_>, name: &str, upload: Upload, first: &str, mut body: Body) -> ApiError {
    let error = one_part_only(upload.received, first);
    while let Some(Ok(_)) = body.frame().await {}
    wait(request, name, upload).err().unwrap_or(error)
}

fn one_part_only(received: u64, first: &str) -> ApiError {
    let message = if first == received.to_string() {
        "ECR loses all parts of a blob after the first. Begin a new upload, and send the blob in one PATCH or PUT."
            .to_owned()
    } else {
        format!("First byte of the layer part is {first} instead of {received}")
    };
    ApiError::new("BLOB_UPLOAD_INVALID", message).status(416)
}

fn finish(request: &Request<'_>, name: &str, upload: Upload, digest: &str) -> Result<Response, ApiError> {
    let endpoint = request.endpoint;
    let finished = upload.finish(digest)?;
    endpoint.store.write(|tx| {
        // It may have been deleted since the upload began.
        Repository::get(endpoint, tx, name)?;
        let size = ImageStore::of(endpoint).take_in(&finished)?;
        Layer::put(tx, name, digest, size)
    })?;
    let location = format!("/v2/{name}/blobs/{digest}");
    respond(StatusCode::CREATED, &[("location", &location), ("docker-content-digest", digest)])
}
