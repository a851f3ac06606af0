//! The AWS protocols: from a request to an operation with a JSON input, from a JSON output to an answer.

mod message;
mod query;
mod rest;
mod service;
mod time;
mod xml;

use axum::body::Bytes;
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

pub(crate) use message::{Reply, Request};
pub(crate) use query::{flag, list, number, optional_list};
pub(crate) use rest::{Payload, Rest, Route};
pub(crate) use service::{Name, Protocol, Service};
pub(crate) use time::epoch;

use crate::error::ApiError;

/// Reads operation and input.
pub(crate) fn decode_request(service: &Service, parts: &Parts, body: &Bytes) -> Result<Request, ApiError> {
    match service.protocol {
        Protocol::Json(_) => {
            let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let operation = target.split_once('.').map_or("", |(_, operation)| operation).to_owned();
            Ok(Request { operation, input: json_body(body)? })
        }
        Protocol::Query | Protocol::Ec2 => query::decode(body),
        Protocol::Rest(rest) => rest.decode(service.signing_name, parts, || json_body(body)),
    }
}

fn json_body(body: &Bytes) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new("SerializationException", format!("The request body is not valid JSON: {error}"))
    })
}

/// Reads an operation's input into its type; `invalid` is the service's code for a wrong parameter.
///
/// Input types deny unknown fields, so a member that this endpoint does not do is refused by name.
pub(crate) fn read<T: DeserializeOwned>(invalid: &str, operation: &str, input: &Value) -> Result<T, ApiError> {
    T::deserialize(input).map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
            Some(field) => ApiError::unsupported(format!("The member {field} of {operation}")),
            None => ApiError::new(invalid, format!("{operation}: {text}")),
        }
    })
}

/// The same for an input that nobody needs afterwards.
pub(crate) fn decode<T: DeserializeOwned>(invalid: &str, operation: &str, input: Value) -> Result<T, ApiError> {
    read(invalid, operation, &input)
}

/// The answer in the service's protocol.
pub(crate) fn respond(service: &Service, outcome: Result<Reply, ApiError>) -> Response {
    let request_id = uuid::Uuid::new_v4().to_string();
    let query_error = outcome.as_ref().err().filter(|_| service.query_codes.is_some()).map(|error| {
        let fault = if error.status < 500 { "Sender" } else { "Receiver" };
        format!("{};{fault}", service.query_code(&error.code))
    });
    let json = |version: &str| Some(format!("application/x-amz-json-{version}"));
    let mut more_headers: Vec<_> = query_error.map(|error| ("x-amzn-query-error", error)).into_iter().collect();
    let (status, content_type, body) = match (service.protocol, outcome) {
        (Protocol::Json(version), Ok(reply)) => (200, json(version), reply.output.to_string().into_bytes()),
        (Protocol::Json(version), Err(error)) => (error.status, json(version), json_error(&error).into_bytes()),
        (Protocol::Rest(rest), Ok(reply)) => {
            let answer = rest.encode(reply.operation, reply.output);
            more_headers.extend(answer.headers);
            (answer.status, answer.content_type.map(str::to_owned), answer.body)
        }
        (Protocol::Rest(_), Err(error)) => {
            more_headers.push(("x-amzn-errortype", json_code(&error.code).to_owned()));
            (error.status, Some("application/json".to_owned()), json_error(&error).into_bytes())
        }
        (Protocol::Query | Protocol::Ec2, Ok(reply)) => {
            (200, Some("text/xml".to_owned()), xml::response(service, &reply, &request_id).into_bytes())
        }
        (Protocol::Query | Protocol::Ec2, Err(error)) => {
            (error.status, Some("text/xml".to_owned()), xml::error(service, &error, &request_id).into_bytes())
        }
    };
    if service.has_checksum {
        more_headers.push(("x-amz-crc32", crc32fast::hash(&body).to_string()));
    }
    more_headers.push(("x-amzn-requestid", request_id));
    let mut response = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    let headers = response.headers_mut();
    more_headers.extend(content_type.map(|kind| ("content-type", kind)));
    for (name, value) in more_headers {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    *response.body_mut() = body.into();
    response
}

/// The refusal of a service that is not there, in a form that its clients read. `name` is what the request was signed for.
pub(crate) fn unknown_service(parts: &Parts, name: &str, error: &ApiError) -> Response {
    let is_form = || {
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    };
    if name == "s3" {
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/xml")], xml::of_s3(error))
            .into_response();
    }
    let protocol = if parts.headers.contains_key("x-amz-target") {
        Service::json("", "1.1", &[])
    } else if is_form() {
        Service::query("", "")
    } else {
        const NOTHING: &Rest = &Rest { routes: &[], lists: &[], numbers: &[] };
        Service::rest("", NOTHING)
    };
    respond(&protocol, Err(error.clone()))
}

fn json_error(error: &ApiError) -> String {
    let mut body = error.fields.clone();
    body.insert("__type".to_owned(), json!(json_code(&error.code)));
    body.insert("message".to_owned(), json!(error.message));
    Value::Object(body).to_string()
}

/// The JSON services' names for the authentication errors, which the query services call otherwise.
fn json_code(code: &str) -> &str {
    match code {
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "IncompleteSignature" => "IncompleteSignatureException",
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        "ExpiredToken" => "ExpiredTokenException",
        "AccessDenied" => "AccessDeniedException",
        other => other,
    }
}

/// The answer of the containers' own endpoints (credentials, metadata): plain JSON.
pub(crate) fn plain_json(answer: Result<Value, ApiError>) -> Response {
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (
            StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            json!({"code": error.code, "message": error.message}),
        ),
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
