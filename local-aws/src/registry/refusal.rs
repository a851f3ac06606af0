//! Errors as the distribution specification has them.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// The error in the shape of the distribution specification, with its code for what ECR's other API calls otherwise.
pub(super) fn refusal(endpoint: &Endpoint, error: ApiError) -> Response {
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
