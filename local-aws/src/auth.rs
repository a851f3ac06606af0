//! Who signed a request: Signature Version 4, checked with the secret that we handed out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, request::Parts};
use chrono::{DateTime, Utc};
use scratchstack_aws_signature::errors::ServiceError;
use scratchstack_aws_signature::{
    GetSigningKeyRequest, GetSigningKeyResponse, KSecretKey, SignatureError, SignatureOptions,
    VecSignedHeaderRequirements, sigv4_validate_request,
};
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::identity::random_text;
use crate::store::Record;
use crate::wire;

/// The principal behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The person who owns the state directory; may do everything.
    User,
    /// A task (or FIS) in an assumed role; may do what the role's policies allow.
    Role { role_arn: String, session_name: String },
}

impl Caller {
    /// Who it is, for the log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::User => "user",
            Self::Role { role_arn, .. } => role_arn,
        }
    }
}

/// Temporary credentials of an assumed role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    pub(crate) role_arn: String,
    /// For tasks the task id, as on ECS.
    pub(crate) session_name: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl Session {
    /// New credentials of the role.
    pub(crate) fn new(role_arn: String, session_name: String, expires_at: DateTime<Utc>) -> Self {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        Self {
            access_key_id: format!("ASIA{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
            secret_access_key: random_text(letters, 40),
            session_token: random_text(letters, 200),
            role_arn,
            session_name,
            expires_at,
        }
    }
}

impl Record for Session {
    const KIND: &'static str = "sts.session";
    fn id(&self) -> String {
        self.access_key_id.clone()
    }
}

/// What the `Authorization` header claims, before anything is believed.
struct Scope {
    access_key_id: String,
    region: String,
    service: String,
}

impl Scope {
    // `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ecs/aws4_request, SignedHeaders=..., Signature=...`
    fn of(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let credential = header.split("Credential=").nth(1)?.split([',', ' ']).next()?;
        let mut parts = credential.split('/');
        let access_key_id = parts.next()?.to_owned();
        let (region, service) = (parts.nth(1)?.to_owned(), parts.next()?.to_owned());
        Some(Self { access_key_id, region, service })
    }
}

/// The service that a request was signed for, as its sender claims.
pub(crate) fn signed_for(headers: &HeaderMap) -> Option<String> {
    Scope::of(headers).map(|scope| scope.service)
}

/// Checks the signature of a request for `service` and says who sent it.
///
/// # Errors
/// AWS's authentication errors, HTTP 403.
pub(crate) async fn authenticate(
    endpoint: &Arc<Endpoint>,
    service: &wire::Service,
    parts: &Parts,
    body: &Bytes,
) -> Result<Caller, ApiError> {
    let scope = Scope::of(&parts.headers).ok_or_else(|| {
        denied(
            "MissingAuthenticationToken",
            "Request is missing Authentication Token. Sign it with the key pair that `fis-workshop local env` prints.",
        )
    })?;
    if scope.region != endpoint.identity.region && !service.is_global {
        return Err(denied(
            "SignatureDoesNotMatch",
            format!(
                "Credential should be scoped to a valid region: this endpoint is {}, the request was signed for {}. Set AWS_REGION={0}.",
                endpoint.identity.region, scope.region
            ),
        ));
    }
    let service = service.signing_name;
    if scope.service != service {
        return Err(denied(
            "SignatureDoesNotMatch",
            format!("Credential should be scoped to correct service: '{service}'."),
        ));
    }
    let (secret, caller) = secret_of(endpoint, &scope.access_key_id, &parts.headers)?;
    let mut key_service = tower::service_fn(move |request: GetSigningKeyRequest| {
        let secret = secret.clone();
        async move {
            let secret: KSecretKey = secret.parse()?;
            let signing_key = secret.to_ksigning(request.request_date(), request.region(), request.service());
            Ok(GetSigningKeyResponse::builder().signing_key(signing_key).build()?)
        }
    });
    let request = Request::from_parts(as_signed(parts)?, body.clone());
    sigv4_validate_request(
        request,
        &scope.region,
        service,
        &mut key_service,
        Utc::now(),
        // As AWS does: an operation in a header that nobody signed could be anybody's.
        &VecSignedHeaderRequirements::new::<str, str, str>(&[], &[], &["x-amz-"]),
        SignatureOptions::default(),
    )
    .await
    .map_err(|error| match error.downcast::<SignatureError>() {
        Ok(error) => denied(error.error_code(), error.to_string()),
        Err(error) => ApiError::internal(format!("The signature could not be checked: {error}")),
    })?;
    Ok(caller)
}

/// The request as its sender signed it. Everywhere but on S3 the canonical path is encoded twice, so a `:` in it is
/// `%3A` on the wire and `%253A` under the signature; the library encodes once.
fn as_signed(parts: &Parts) -> Result<Parts, ApiError> {
    let mut parts = parts.clone();
    if parts.uri.path().contains('%') {
        let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        parts.uri = format!("{}{query}", parts.uri.path().replace('%', "%25"))
            .parse()
            .map_err(|error| ApiError::internal(format!("The request's path cannot be encoded: {error}")))?;
    }
    Ok(parts)
}

fn secret_of(endpoint: &Endpoint, access_key_id: &str, headers: &HeaderMap) -> Result<(String, Caller), ApiError> {
    let unknown = || {
        denied(
            "InvalidClientTokenId",
            "The security token included in the request is invalid: this endpoint knows only the key pair that `fis-workshop local env` prints, without AWS_SESSION_TOKEN, and its tasks' own.",
        )
    };
    let token = headers.get("x-amz-security-token").map(|value| value.as_bytes());
    if access_key_id == endpoint.identity.access_key_id {
        let secret = endpoint.identity.secret_access_key.clone();
        return if token.is_none() { Ok((secret, Caller::User)) } else { Err(unknown()) };
    }
    let session = endpoint.store.read(|tx| tx.get::<Session>(access_key_id))?.ok_or_else(unknown)?;
    if token != Some(session.session_token.as_bytes()) {
        return Err(unknown());
    }
    if session.expires_at < Utc::now() {
        return Err(denied("ExpiredToken", "The security token included in the request is expired"));
    }
    let caller = Caller::Role { role_arn: session.role_arn, session_name: session.session_name };
    Ok((session.secret_access_key, caller))
}

fn denied(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message).status(403)
}
