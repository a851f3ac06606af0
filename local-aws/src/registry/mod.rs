//! The registry's own API (OCI distribution) as ECR speaks it, on the endpoint's port under `/v2/`.
//!
//! - `path`: what a request is for
//! - `uploads`, `blobs`, `manifests`: one file for each kind of thing; `manifest`: what a manifest must say
//! - `request`: what they all ask of a request, and how they answer; `refusal`: errors as this API has them
//!
//! What is recorded is in `ecr`, the files are in `images`.

mod blobs;
mod manifest;
mod manifests;
mod path;
mod refusal;
mod request;
mod uploads;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};

use self::path::Target;
use self::refusal::refusal;
use self::request::Request;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Door;

/// Where the registry listens. Layers are larger than any other request, and go to their file as they come.
pub(crate) const DOOR: Door =
    Door { is_for, handle: |endpoint, parts, body| Box::pin(async move { handle(&endpoint, &parts, body).await }) };

/// Whether a request is for the registry. Tasks' credentials are under `/v2/credentials/`, as on ECS; no path of the
/// registry has but two segments.
fn is_for(parts: &Parts) -> bool {
    let path = parts.uri.path();
    path == "/v2"
        || path
            .strip_prefix("/v2/")
            .is_some_and(|rest| rest.strip_prefix("credentials/").is_none_or(|id| id.contains('/')))
}

/// Answers a request for the registry.
async fn handle(endpoint: &Arc<Endpoint>, parts: &Parts, body: Body) -> Response {
    let request = Request { endpoint, parts };
    let answer = match request.authenticate() {
        Ok(()) => answer(&request, body).await,
        Err(error) => Err(error),
    };
    let mut response = answer.unwrap_or_else(|error| {
        // A task's mistake on the way to its credentials ends here, too, and who knows that path has them.
        let path = Some(parts.uri.path()).filter(|path| !path.starts_with("/v2/credentials/"));
        tracing::info!(method = %parts.method, path, %error, "refused");
        refusal(endpoint, error)
    });
    let version = HeaderValue::from_static("registry/2.0");
    response.headers_mut().insert("docker-distribution-api-version", version);
    response
}

async fn answer(request: &Request<'_>, body: Body) -> Result<Response, ApiError> {
    let method = &request.parts.method;
    match (method, path::parse(request.parts)?) {
        (&Method::GET | &Method::HEAD, Target::Base) => Ok(StatusCode::OK.into_response()),
        (_, Target::Catalog) => Err(ApiError::new(
            "UNSUPPORTED",
            "ECR lists its repositories by `aws ecr describe-repositories`, not by _catalog.",
        )
        .status(405)),
        (&Method::GET | &Method::HEAD, Target::Blob(name, digest)) => blobs::get(request, &name, &digest).await,
        (&Method::POST, Target::Uploads(name)) => uploads::begin(request, &name, body).await,
        (&Method::GET, Target::Upload(name, id)) => uploads::status(request, &name, &id),
        (&Method::PATCH, Target::Upload(name, id)) => uploads::patch(request, &name, &id, body).await,
        (&Method::PUT, Target::Upload(name, id)) => uploads::put(request, &name, &id, body).await,
        (&Method::DELETE, Target::Upload(name, id)) => uploads::delete(request, &name, &id),
        (&Method::GET | &Method::HEAD, Target::Manifest(name, reference)) => manifests::get(request, &name, &reference),
        (&Method::PUT, Target::Manifest(name, reference)) => manifests::put(request, &name, &reference, body).await,
        (&Method::DELETE, Target::Manifest(name, reference)) => manifests::delete(request, &name, &reference),
        (&Method::GET, Target::Tags(name)) => manifests::tags(request, &name),
        _ => Err(ApiError::new("UNSUPPORTED", format!("ECR's registry has no {method} of this path.")).status(405)),
    }
}
