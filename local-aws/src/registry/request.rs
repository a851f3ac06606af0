//! What all that is asked of the registry has in common: who asks, of which repository, and the answer's form.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use chrono::Utc;

use crate::ecr::authorization::{self, Refusal};
use crate::ecr::repository::Repository;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::images::is_sha256;

/// One request: who sent it, what it is for, and that.
pub(super) struct Request<'a> {
    pub(super) endpoint: &'a Arc<Endpoint>,
    pub(super) parts: &'a Parts,
}

impl Request<'_> {
    pub(super) fn authenticate(&self) -> Result<(), ApiError> {
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

    /// The repository must be there for whatever is asked of it.
    pub(super) fn repository(&self, name: &str) -> Result<Repository, ApiError> {
        self.endpoint.store.read(|tx| Repository::get(self.endpoint, tx, name))
    }

    /// The value of a query parameter.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let query = self.parts.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// An answer of this status with these headers.
pub(super) fn respond(status: StatusCode, fields: &[(&'static str, &str)]) -> Result<Response, ApiError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = value.parse().map_err(|_| ApiError::internal(format!("{value:?} cannot be in a header")))?;
        headers.insert(*name, value);
    }
    Ok((status, headers).into_response())
}

/// A digest that is none, or by another algorithm than ECR's.
pub(super) fn check_digest(digest: &str) -> Result<(), ApiError> {
    if is_sha256(digest) {
        Ok(())
    } else {
        Err(ApiError::new("DIGEST_INVALID", format!("'{digest}' is not sha256: and 64 lower-case hex digits.")))
    }
}
