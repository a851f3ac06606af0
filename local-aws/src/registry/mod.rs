//! The registry's own API (OCI distribution) as ECR speaks it, on the endpoint's port under `/v2/`.
//!
//! - `path`: what a request is for
//! - `uploads`, `blobs`, `manifests`: one file for each kind of thing
//!
//! What is recorded is in `ecr`, the files are in `images`.

mod blobs;
mod manifests;
mod path;
mod uploads;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde_json::json;

use self::path::Target;
use crate::ecr::authorization::{self, Refusal};
use crate::ecr::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Door;

/// One request: who sent it, what it is for, and that.
struct Request<'a> {
    endpoint: &'a Arc<Endpoint>,
    parts: &'a Parts,
}

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
        Ok(()) => request.answer(body).await,
        Err(error) => Err(error),
    };
    let mut response = answer.unwrap_or_else(|error| {
        tracing::info!(method = %parts.method, path = parts.uri.path(), %error, "refused");
        refusal(endpoint, error)
    });
    let version = HeaderValue::from_static("registry/2.0");
    response.headers_mut().insert("docker-distribution-api-version", version);
    response
}

impl Request<'_> {
    fn authenticate(&self) -> Result<(), ApiError> {
        let header = self.parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credentials = header.and_then(|header| header.strip_prefix("Basic "));
        match credentials.map(|text| authorization::check(&self.endpoint.identity, text, Utc::now())) {
            Some(Ok(())) => Ok(()),
            Some(Err(Refusal::Expired)) => {
                Err(ApiError::new("DENIED", "Your authorization token has expired. Reauthenticate and try again.")
                    .status(403))
            }
            None | Some(Err(Refusal::Unknown)) => Err(ApiError::new(
                "UNAUTHORIZED",
                "Not Authorized: log in as AWS with the password that `aws ecr get-login-password` prints.",
            )
            .status(401)),
        }
    }

    async fn answer(&self, body: Body) -> Result<Response, ApiError> {
        let method = &self.parts.method;
        match (method, path::parse(self.parts)?) {
            (&Method::GET | &Method::HEAD, Target::Base) => Ok(StatusCode::OK.into_response()),
            (_, Target::Catalog) => Err(ApiError::new(
                "UNSUPPORTED",
                "ECR lists its repositories by `aws ecr describe-repositories`, not by _catalog.",
            )
            .status(405)),
            (&Method::GET | &Method::HEAD, Target::Blob(name, digest)) => blobs::get(self, &name, &digest).await,
            (&Method::POST, Target::Uploads(name)) => uploads::begin(self, &name, body).await,
            (&Method::GET, Target::Upload(name, id)) => uploads::status(self, &name, &id),
            (&Method::PATCH, Target::Upload(name, id)) => uploads::patch(self, &name, &id, body).await,
            (&Method::PUT, Target::Upload(name, id)) => uploads::put(self, &name, &id, body).await,
            (&Method::DELETE, Target::Upload(name, id)) => uploads::delete(self, &name, &id),
            (&Method::GET | &Method::HEAD, Target::Manifest(name, reference)) => {
                manifests::get(self, &name, &reference)
            }
            (&Method::PUT, Target::Manifest(name, reference)) => manifests::put(self, &name, &reference, body).await,
            (&Method::DELETE, Target::Manifest(name, reference)) => manifests::delete(self, &name, &reference),
            (&Method::GET, Target::Tags(name)) => manifests::tags(self, &name),
            _ => Err(ApiError::new("UNSUPPORTED", format!("ECR's registry has no {method} of this path.")).status(405)),
        }
    }

    /// The repository must be there for whatever is asked of it.
    fn repository(&self, name: &str) -> Result<Repository, ApiError> {
        self.endpoint.store.read(|tx| Repository::get(self.endpoint, tx, name))
    }

    /// The value of a query parameter.
    fn query(&self, name: &str) -> Option<String> {
        let query = self.parts.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// An answer of this status with these headers.
fn respond(status: StatusCode, fields: &[(&'static str, &str)]) -> Result<Response, ApiError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = value.parse().map_err(|_| ApiError::internal(format!("{value:?} cannot be in a header")))?;
        headers.insert(*name, value);
    }
    Ok((status, headers).into_response())
}

/// A digest that is none, or by another algorithm than ECR's.
fn check_digest(digest: &str) -> Result<(), ApiError> {
    if crate::images::is_sha256(digest) {
        Ok(())
    } else {
        Err(ApiError::new("DIGEST_INVALID", format!("'{digest}' is not sha256: and 64 lower-case hex digits.")))
    }
}

/// The error in the shape of the distribution specification, with its code for what ECR's other API calls otherwise.
fn refusal(endpoint: &Endpoint, error: ApiError) -> Response {
    let (code, status) = match error.code.as_str() {
        "RepositoryNotFoundException" => ("NAME_UNKNOWN", 404),
        "ImageTagAlreadyExistsException" => ("TAG_INVALID", 400),
        "InternalFailure" => ("UNKNOWN", 500),
        code => (code, error.status),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"errors": [{"code": code, "message": error.message}]}).to_string();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    let challenge = format!(r#"Basic realm="{}/",service="ecr.amazonaws.com""#, endpoint.url);
    if status == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = challenge.parse()
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
