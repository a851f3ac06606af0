//! Manifests by tag or digest.

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::manifest::Manifest;
use super::request::{Request, check_digest, respond};
use crate::ecr::collection::collect;
use crate::ecr::image::Image;
use crate::ecr::repository::{Repository, is_tag};
use crate::error::ApiError;
use crate::images::{ImageStore, unwritable};
use crate::store::Tx;

/// As much as the specification wants a registry to take.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;

pub(super) fn get(request: &Request<'_>, name: &str, reference: &str) -> Result<Response, ApiError> {
    let endpoint = request.endpoint;
    let is_head = request.parts.method == Method::HEAD;
    let image = endpoint.store.write(|tx| {
        let image = find(request, tx, name, reference)?;
        if !is_head {
            Image::note_pull(tx, name, &image.digest)?;
        }
        Ok(image)
    })?;
    let path = ImageStore::of(endpoint).blob(&image.digest);
    let bytes = std::fs::read(&path)
        .map_err(|error| ApiError::internal(format!("The manifest {} cannot be read: {error}", path.display())))?;
    let fields = [
        ("content-length", &*bytes.len().to_string()),
        ("content-type", &image.media_type),
        ("docker-content-digest", &image.digest),
    ];
    let mut response = respond(StatusCode::OK, &fields)?;
    if !is_head {
        *response.body_mut() = bytes.into();
    }
    Ok(response)
}

pub(super) async fn put(request: &Request<'_>, name: &str, reference: &str, body: Body) -> Result<Response, ApiError> {
    let endpoint = request.endpoint;
    request.repository(name)?;
    let tag = tag_of(reference)?;
    let Ok(bytes) = to_bytes(body, MAX_MANIFEST).await else {
        let text = format!("A manifest has at most {MAX_MANIFEST} bytes; this one is larger, or broke off.");
        return Err(ApiError::new("MANIFEST_INVALID", text).status(413));
    };
    let content_type = request.parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut manifest = Manifest::read(name, content_type, &bytes)?;
    let digest = manifest.image.digest.clone();
    if tag.is_none() && reference != digest {
        let text = format!("The manifest has the digest {digest}, not {reference}.");
        return Err(ApiError::new("DIGEST_INVALID", text));
    }
    manifest.image.tags.extend(tag.map(str::to_owned));
    endpoint.store.write(|tx| {
        let repository = Repository::get(endpoint, tx, name)?;
        let is_mutable = |tag: &str| repository.settings.is_mutable(tag);
        let images = ImageStore::of(endpoint);
        Image::push(tx, is_mutable, manifest.complete(&images, tx)?)?;
        images.put_blob(&digest, &bytes).map_err(|error| unwritable(&images.blob(&digest), &error))
    })?;
    let location = format!("/v2/{name}/manifests/{digest}");
    respond(StatusCode::CREATED, &[("location", &location), ("docker-content-digest", &digest)])
}

pub(super) fn delete(request: &Request<'_>, name: &str, reference: &str) -> Result<Response, ApiError> {
    let endpoint = request.endpoint;
    endpoint.store.write(|tx| {
        let removed = find(request, tx, name, reference)?.remove(tx, tag_of(reference)?)?;
        removed.map_err(|(_, reason)| ApiError::new("DENIED", format!("{reason}; delete that first.")))
    })?;
    collect(endpoint);
    respond(StatusCode::ACCEPTED, &[])
}

pub(super) fn tags(request: &Request<'_>, name: &str) -> Result<Response, ApiError> {
    request.repository(name)?;
    let images = request.endpoint.store.read(|tx| Image::all_of(tx, name))?;
    let tags: BTreeSet<String> = images.into_iter().flat_map(|image| image.tags).collect();
    let invalid = || ApiError::new("PAGINATION_NUMBER_INVALID", "n must be a number from 1 to 1000.");
    let size = request.query("n").map_or(Ok(1000), |n| n.parse::<usize>().map_err(|_| invalid()))?;
    if !(1..=1000).contains(&size) {
        return Err(invalid());
    }
    let last = request.query("last").unwrap_or_default();
    let mut rest = tags.into_iter().skip_while(|tag| *tag <= last);
    let shown: Vec<String> = rest.by_ref().take(size).collect();
    let next = shown.last().filter(|_| rest.next().is_some());
    let link = next.map(|last| format!(r#"</v2/{name}/tags/list?n={size}&last={last}>; rel="next""#));
    let mut fields = vec![("content-type", "application/json")];
    fields.extend(link.as_deref().map(|link| ("link", link)));
    let mut response = respond(StatusCode::OK, &fields)?;
    *response.body_mut() = json!({"name": name, "tags": shown}).to_string().into();
    Ok(response)
}

/// The reference as a tag; `None` for a digest.
fn tag_of(reference: &str) -> Result<Option<&str>, ApiError> {
    if reference.contains(':') {
        check_digest(reference).map(|()| None)
    } else if is_tag(reference) {
        Ok(Some(reference))
    } else {
        Err(ApiError::new("TAG_INVALID", format!("'{reference}' is no tag: up to 128 letters, digits and _ . -")))
    }
}

fn find(request: &Request<'_>, tx: &Tx<'_>, name: &str, reference: &str) -> Result<Image, ApiError> {
    Repository::get(request.endpoint, tx, name)?;
    tag_of(reference)?;
    Image::find(tx, name, reference)?.ok_or_else(|| {
        let text = format!("Requested image not found: {reference} in the repository '{name}'.");
        ApiError::new("MANIFEST_UNKNOWN", text).status(404)
    })
}
