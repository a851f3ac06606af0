//! What a request is for, told by its path. A repository's name has slashes, too: it ends where `blobs`, `manifests` or
//! `tags` begins, seen from the right.

use axum::http::request::Parts;

use crate::ecr::repository;
use crate::error::ApiError;

/// Something that the registry has; first the repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Base,
    Catalog,
    Blob(String, String),
    Uploads(String),
    Upload(String, String),
    Manifest(String, String),
    Tags(String),
}

/// # Errors
/// NAME_INVALID, or UNSUPPORTED for a path that the registry does not have.
pub(super) fn parse(parts: &Parts) -> Result<Target, ApiError> {
    let path = parts.uri.path().replace("%3A", ":").replace("%3a", ":");
    let rest = path.strip_prefix("/v2").unwrap_or_default().trim_start_matches('/');
    match rest {
        "" => return Ok(Target::Base),
        "_catalog" => return Ok(Target::Catalog),
        _ => {}
    }
    let unknown = || {
        ApiError::new("UNSUPPORTED", format!("ECR's registry has no path {path} in the local endpoint.")).status(404)
    };
    let segments: Vec<&str> = rest.split('/').collect();
    match segments.as_slice() {
        [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => Ok(Target::Uploads(named(name)?)),
        [name @ .., "blobs", "uploads", id] => Ok(Target::Upload(named(name)?, (*id).to_owned())),
        [name @ .., "blobs", digest] => Ok(Target::Blob(named(name)?, (*digest).to_owned())),
        [name @ .., "manifests", reference] => Ok(Target::Manifest(named(name)?, (*reference).to_owned())),
        [name @ .., "tags", "list"] => Ok(Target::Tags(named(name)?)),
        _ => Err(unknown()),
    }
}

fn named(segments: &[&str]) -> Result<String, ApiError> {
    let name = segments.join("/");
    if repository::is_name(&name) {
        return Ok(name);
    }
    let text =
        format!("'{name}' is no name of a repository: lower-case letters and digits, with . _ - / between them.");
    Err(ApiError::new("NAME_INVALID", text))
}
