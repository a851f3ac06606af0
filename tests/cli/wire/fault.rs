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
    /// The answer takes its time.
    Slow,
}

impl Fault {
    /// The answer in AWS's place, for the faults that are one: status and error code.
    pub(super) fn refusal(self, protocol: Protocol) -> Option<(u16, &'static str, &'static str)> {
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
            (Self::Gateway, _) => (502, ""),
            (Self::ResetBefore | Self::ResetAfter | Self::Slow, _) => return None,
        };
        let message = match self {
            Self::Throttled => "Rate exceeded",
            Self::Gateway => "<!doctype html><title>502 Bad Gateway</title>",
            Self::Denied => "User: arn:aws:iam::123456789012:user/me is not authorized to perform: it",
            Self::Expired => "The security token included in the request is expired",
            _ => "We encountered an internal error. Please try again.",
        };
        Some((status, code, message))
    }
}

/// The error as the call's service puts it on the wire, with its head.
pub(super) fn response(call: &Call, (status, code, message): (u16, &str, &str)) -> Vec<u8> {
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
    // Where the services that speak REST put the code.
    let code = if code.is_empty() { String::new() } else { format!("x-amzn-ErrorType: {code}\r\n") };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Fault\r\nContent-Type: {content_type}\r\n{code}Content-Length: {length}\r\n\r\n");
    [head, body].concat().into_bytes()
}
