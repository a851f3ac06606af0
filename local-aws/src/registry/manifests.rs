//! Manifests by tag or digest.

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use chrono::Utc;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Request, check_digest, respond};
use crate::ecr::image::{INDEXES, Image, Layer, MANIFESTS};
use crate::ecr::repository::{Repository, is_tag};
use crate::error::ApiError;
use crate::images::{self, ImageStore, hex, unwritable};
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
    let mut manifest = read(name, content_type, &bytes)?;
    let digest = manifest.image.digest.clone();
    if tag.is_none() && reference != digest {
        let text = format!("The manifest has the digest {digest}, not {reference}.");
        return Err(ApiError::new("DIGEST_INVALID", text));
    }
    manifest.image.tags.extend(tag.map(str::to_owned));
    endpoint.store.write(|tx| {
        let repository = Repository::get(endpoint, tx, name)?;
        Image::push(tx, &repository, manifest.complete(request, tx)?)?;
        let put = ImageStore::of(endpoint).put_blob(&digest, &bytes);
        put.map_err(|error| unwritable(&ImageStore::of(endpoint).blob(&digest), &error))
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
    images::collect(endpoint);
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

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new("MANIFEST_INVALID", text)
}

/// A manifest that says of itself nothing wrong.
struct Manifest {
    image: Image,
    /// Of its blobs, as it says.
    sizes: Vec<u64>,
}

fn read(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Result<Manifest, ApiError> {
    let json: Value =
        serde_json::from_slice(bytes).map_err(|error| invalid(format!("The manifest is not valid JSON: {error}")))?;
    let (inside, outside) = (json["mediaType"].as_str(), content_type);
    let media_type = match (inside, outside) {
        (Some(inside), Some(outside)) if inside != outside => {
            return Err(invalid(format!("The manifest calls itself {inside}, but was sent as {outside}.")));
        }
        (inside, outside) => outside.or(inside).unwrap_or_default().to_owned(),
    };
    let broken = |error: oci_spec::OciSpecError| invalid(format!("This is no {media_type}: {error}"));
    let digests = |all: &mut dyn Iterator<Item = &Descriptor>| -> Result<Vec<String>, ApiError> {
        all.map(|one| one.digest().to_string()).map(|one| check_digest(&one).map(|()| one)).collect()
    };
    let mut sizes = Vec::new();
    let mut image = Image {
        repository: name.to_owned(),
        digest: format!("sha256:{}", hex(&Sha256::digest(bytes))),
        media_type: media_type.clone(),
        artifact_media_type: None,
        tags: BTreeSet::new(),
        pushed_at: Utc::now(),
        size: 0,
        blobs: Vec::new(),
        manifests: Vec::new(),
        last_pulled_at: None,
    };
    if MANIFESTS.contains(&media_type.as_str()) {
        let manifest = ImageManifest::from_reader(bytes).map_err(broken)?;
        image.artifact_media_type = Some(manifest.config().media_type().to_string());
        image.size = manifest.layers().iter().map(Descriptor::size).sum();
        let blobs = || std::iter::once(manifest.config()).chain(manifest.layers());
        image.blobs = digests(&mut blobs())?;
        sizes = blobs().map(Descriptor::size).collect();
    } else if INDEXES.contains(&media_type.as_str()) {
        let index = ImageIndex::from_reader(bytes).map_err(broken)?;
        image.manifests = digests(&mut index.manifests().iter())?;
    } else {
        return Err(invalid(format!(
            "Manifests of the type '{media_type}' are not supported by the local endpoint; it takes {}.",
            [MANIFESTS, INDEXES].concat().join(", ")
        )));
    }
    Ok(Manifest { image, sizes })
}

impl Manifest {
    /// The image, if all is there that the manifest names.
    fn complete(mut self, request: &Request<'_>, tx: &Tx<'_>) -> Result<Image, ApiError> {
        let repository = &self.image.repository;
        let missing = |digest: &str| {
            let text = format!("The manifest names {digest}, which is not in the repository '{repository}'.");
            ApiError::new("MANIFEST_BLOB_UNKNOWN", text)
        };
        for (digest, size) in self.image.blobs.iter().zip(self.sizes) {
            let layer = Layer::get(tx, repository, digest)?;
            let layer = layer
                .filter(|_| ImageStore::of(request.endpoint).blob(digest).exists())
                .ok_or_else(|| missing(digest))?;
            if layer.size != size {
                let text = format!("The manifest says that {digest} has {size} bytes; it has {}.", layer.size);
                return Err(invalid(text));
            }
        }
        let mut size = self.image.size;
        for digest in &self.image.manifests {
            size = size.max(Image::find(tx, repository, digest)?.ok_or_else(|| missing(digest))?.size);
        }
        self.image.size = size;
        Ok(self.image)
    }
}
