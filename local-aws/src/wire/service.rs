//! How a service is spoken to, and how a request names the one it is for.

use axum::body::Bytes;
use axum::http::request::Parts;

use super::rest::Rest;
use crate::error::ApiError;

/// An AWS wire protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// `awsJson`, with its version.
    Json(&'static str),
    /// Form in, XML out.
    Query,
    /// The query protocol as EC2 speaks it.
    Ec2,
    /// `restJson1`, with what its paths and queries mean.
    Rest(&'static Rest),
}

/// A service as its requests and answers show it.
#[derive(Debug)]
pub(crate) struct Service {
    /// Name in the credential scope of a signature.
    pub(crate) signing_name: &'static str,
    pub(crate) protocol: Protocol,
    /// Prefixes of `X-Amz-Target` (JSON).
    targets: &'static [&'static str],
    /// XML namespace of the answers; ends in the `Version` that the forms carry.
    pub(crate) namespace: &'static str,
    /// Whether it is one for all regions, and so signed for any.
    pub(crate) is_global: bool,
    /// Whether the answers carry a checksum of their body.
    pub(super) has_checksum: bool,
    /// The codes that its errors had in its query protocol (`awsQueryCompatible`), if it had one; the others are the same.
    pub(super) query_codes: Option<&'static [(&'static str, &'static str)]>,
}

impl Service {
    pub(crate) const fn json(
        signing_name: &'static str,
        version: &'static str,
        targets: &'static [&'static str],
    ) -> Self {
        Self { targets, ..Self::new(signing_name, Protocol::Json(version)) }
    }

    pub(crate) const fn query(signing_name: &'static str, namespace: &'static str) -> Self {
        Self { namespace, ..Self::new(signing_name, Protocol::Query) }
    }

    pub(crate) const fn ec2(signing_name: &'static str, namespace: &'static str) -> Self {
        Self { namespace, ..Self::new(signing_name, Protocol::Ec2) }
    }

    pub(crate) const fn rest(signing_name: &'static str, rest: &'static Rest) -> Self {
        Self::new(signing_name, Protocol::Rest(rest))
    }

    const fn new(signing_name: &'static str, protocol: Protocol) -> Self {
        Self {
            signing_name,
            protocol,
            targets: &[],
            namespace: "",
            is_global: false,
            has_checksum: false,
            query_codes: None,
        }
    }

    pub(crate) const fn global(self) -> Self {
        Self { is_global: true, ..self }
    }

    pub(crate) const fn with_checksum(self) -> Self {
        Self { has_checksum: true, ..self }
    }

    pub(crate) const fn with_query_codes(self, codes: &'static [(&'static str, &'static str)]) -> Self {
        Self { query_codes: Some(codes), ..self }
    }

    /// What an error is called in the service's query protocol.
    pub(crate) fn query_code<'a>(&self, code: &'a str) -> &'a str {
        let codes = self.query_codes.into_iter().flatten();
        codes.copied().find(|(name, _)| *name == code).map_or(code, |(_, query)| query)
    }

    /// Whether its requests bear this name.
    pub(crate) fn bears(&self, name: &Name<'_>) -> bool {
        match (name, self.protocol) {
            (Name::Target(prefix), Protocol::Json(_)) => self.targets.contains(prefix),
            (Name::Version(version), Protocol::Query | Protocol::Ec2) => {
                self.namespace.trim_end_matches('/').ends_with(version.as_str())
            }
            (Name::Path(segment), Protocol::Rest(rest)) => rest.owns(segment),
            _ => false,
        }
    }

    /// The refusal of a call that the caller may not make, as the service puts it.
    pub(crate) fn access_denied(&self, refusal: ApiError) -> ApiError {
        match self.protocol {
            Protocol::Json(_) if self.query_codes.is_some() => refusal.status(403),
            Protocol::Json(_) => refusal,
            Protocol::Rest(_) => refusal.status(403),
            Protocol::Query => ApiError::new("AccessDenied", refusal.message).status(403),
            Protocol::Ec2 => {
                let message = format!("You are not authorized to perform this operation. {}", refusal.message);
                ApiError::new("UnauthorizedOperation", message).status(403)
            }
        }
    }

    /// What its actions begin with in policies.
    pub(crate) fn iam_prefix(&self) -> &'static str {
        match self.signing_name {
            "tagging" => "tag",
            name => name,
        }
    }

    /// Whether it is a REST service, whose requests carry no name but that in their signature.
    pub(crate) fn is_rest(&self) -> bool {
        matches!(self.protocol, Protocol::Rest(_))
    }
}

/// What a request carries of the service that it is for.
pub(crate) enum Name<'a> {
    /// Prefix of `X-Amz-Target`.
    Target(&'a str),
    /// First segment of the path. Two services may own the same: the signature's scope goes before it.
    Path(&'a str),
    /// `Version` in a form.
    Version(String),
}

impl<'a> Name<'a> {
    pub(crate) fn of(parts: &'a Parts, body: &Bytes) -> Option<Self> {
        if let Some(target) = parts.headers.get("x-amz-target") {
            return target.to_str().ok()?.split('.').next().map(Self::Target);
        }
        let segment = parts.uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        if !segment.is_empty() {
            return Some(Self::Path(segment));
        }
        let (_, version) = form_urlencoded::parse(body).find(|(key, _)| key == "Version")?;
        (!version.is_empty()).then(|| Self::Version(version.into_owned()))
    }
}
