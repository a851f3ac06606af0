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

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use proptest::prelude::*;

    use super::*;

    fn target(path: &str) -> Result<Target, String> {
        let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
        parse(&parts).map_err(|error| error.code)
    }

    #[test]
    fn a_repository_may_be_called_like_a_part_of_the_path() {
        let name = || "blobs/uploads/tags".to_owned();
        assert_eq!(target("/v2/blobs/uploads/tags/tags/list"), Ok(Target::Tags(name())));
        assert_eq!(target("/v2/blobs/uploads/tags/blobs/uploads/"), Ok(Target::Uploads(name())));
        assert_eq!(target("/v2/blobs/uploads/tags/blobs/uploads/1"), Ok(Target::Upload(name(), "1".into())));
        assert_eq!(target("/v2/ab/blobs/sha256%3Ax"), Ok(Target::Blob("ab".into(), "sha256:x".into())));
        assert_eq!(target("/v2/credentials/manifests/1"), Ok(Target::Manifest("credentials".into(), "1".into())));
        assert_eq!(target("/v2"), Ok(Target::Base));
        assert_eq!(target("/v2/ab/referrers/1"), Err("UNSUPPORTED".into()));
        assert_eq!(target("/v2/manifests/1"), Err("NAME_INVALID".into()));
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_store(path in "(/|[a-zA-Z0-9._-]|%2[EeFf]|blobs|manifests){0,40}") {
            if let Ok(Target::Blob(name, _) | Target::Manifest(name, _)) = target(&format!("/v2/{path}/manifests/x")) {
                prop_assert!(name.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{}", name);
                prop_assert!(name.len() <= 256 && !name.contains(['%', '@', ':']), "{}", name);
            }
        }
    }
}
