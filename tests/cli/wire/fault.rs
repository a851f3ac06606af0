//! What can go wrong on the way to AWS and in it, in the shapes that AWS gives to it.

use std::time::Duration;

use super::Call;
use super::call::Protocol;

/// Long enough that other answers overtake it.
pub(crate) const SLOW: Duration = Duration::from_millis(150);

/// One thing that goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// AWS limits the rate; nothing was done.
    Throttled,
    /// AWS has a problem; nothing was done.
    ServerError,
    /// A gateway on the way answers with a page of its own; nothing was done.
    Gateway,
    /// The connection breaks before the request has arrived.
    ResetBefore,
    /// The connection breaks when all was done: nobody hears the answer.
    ResetAfter,
    /// The credentials have expired.
    Expired,
    /// The caller lacks the permission.
    Denied,
    /// The caller's clock is wrong, by years.
    Skewed,
    /// The answer takes its time.
    Slow,
}

/// An answer in the endpoint's place, to one call.
pub(crate) struct Answer {
    /// `service:operation`.
    pub(crate) to: &'static str,
    /// A member of the input, with its value, if it is not to be any call of that operation.
    pub(crate) with: Option<(&'static str, &'static str)>,
    pub(crate) status: u16,
    /// The error code, where the services that speak REST put it.
    pub(crate) code: &'static str,
    pub(crate) body: String,
}

impl Answer {
    /// A success.
    pub(crate) fn new(to: &'static str, body: impl ToString) -> Self {
        Self { to, with: None, status: 200, code: "", body: body.to_string() }
    }

    pub(super) fn is_for(&self, call: &Call) -> bool {
        let is_with = |(name, value): (&str, &str)| call.input.get(name).is_some_and(|found| found == value);
        call.name() == self.to && self.with.is_none_or(is_with)
    }

    pub(super) fn response(&self) -> Vec<u8> {
        http(self.status, &[("x-amzn-ErrorType", self.code)], &self.body)
    }
}

impl Fault {
    /// The answer in AWS's place, for the faults that are one: status and error code.
    fn refusal(self, protocol: Protocol) -> Option<(u16, &'static str, &'static str)> {
        let (status, code) = match (self, protocol) {
            (Self::Throttled, Protocol::Query) => (400, "Throttling"),
            (Self::Throttled, Protocol::Json) => (400, "ThrottlingException"),
            (Self::Throttled, Protocol::Rest) => (429, "ThrottlingException"),
            (Self::Throttled, Protocol::Ec2) => (503, "RequestLimitExceeded"),
            (Self::ServerError, Protocol::Query) => (500, "InternalFailure"),
            (Self::ServerError, Protocol::Json | Protocol::Rest) => (500, "InternalServerException"),
            (Self::ServerError, Protocol::Ec2) => (500, "InternalError"),
            (Self::Expired, Protocol::Query) => (403, "ExpiredToken"),
            (Self::Expired, Protocol::Json) => (400, "ExpiredTokenException"),
            (Self::Expired, Protocol::Rest) => (403, "ExpiredTokenException"),
            (Self::Expired, Protocol::Ec2) => (400, "RequestExpired"),
            (Self::Denied, Protocol::Query) => (403, "AccessDenied"),
            (Self::Denied, Protocol::Json) => (400, "AccessDeniedException"),
            (Self::Denied, Protocol::Rest) => (403, "AccessDeniedException"),
            (Self::Denied, Protocol::Ec2) => (403, "UnauthorizedOperation"),
            (Self::Skewed, Protocol::Query) => (403, "SignatureDoesNotMatch"),
            (Self::Skewed, Protocol::Json | Protocol::Rest) => (400, "InvalidSignatureException"),
            (Self::Skewed, Protocol::Ec2) => (401, "AuthFailure"),
            (Self::Gateway, _) => (502, ""),
            (Self::ResetBefore | Self::ResetAfter | Self::Slow, _) => return None,
        };
        let message = match self {
            Self::Throttled => "Rate exceeded",
            Self::Gateway => "<!doctype html><title>502 Bad Gateway</title>",
            Self::Denied => "User: arn:aws:iam::123456789012:user/me is not authorized to perform: it",
            Self::Expired => "The security token included in the request is expired",
            Self::Skewed => "Signature expired: 20240101T000000Z is now earlier than 20240101T001000Z",
            _ => "We encountered an internal error. Please try again.",
        };
        Some((status, code, message))
    }
}

/// The fault as the call's service puts it on the wire; `None` for one that is no answer.
pub(super) fn response(fault: Fault, call: &Call) -> Option<Vec<u8>> {
    let (status, code, message) = fault.refusal(call.protocol)?;
    let (content_type, body) = match call.protocol {
        _ if code.is_empty() => ("text/html", message.to_owned()),
        Protocol::Json => ("application/x-amz-json-1.1", format!(r#"{{"__type":"{code}","message":"{message}"}}"#)),
        Protocol::Rest => ("application/json", format!(r#"{{"message":"{message}"}}"#)),
        Protocol::Query => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>0</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::Ec2 => (
            "text/xml",
            format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
                 <RequestID>0</RequestID></Response>"
            ),
        ),
    };
    let date = if fault == Fault::Skewed { "Mon, 01 Jan 2024 00:00:00 GMT" } else { "" };
    let headers = [("Content-Type", content_type), ("x-amzn-ErrorType", code), ("Date", date)];
    Some(http(status, &headers, &body))
}

/// An answer with those of the headers that have a value.
fn http(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers = headers.iter().filter(|(_, value)| !value.is_empty());
    let headers: String = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!("HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
