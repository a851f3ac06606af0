//! The one error type of the endpoint: what AWS would answer, without the wire format.
//!
//! Services and the store return [`ApiError`]; `wire` turns it into the shape of the protocol that the
//! request came in (JSON `__type`, REST header, query XML).

use serde_json::{Map, Value};

/// An error as the AWS service itself would state it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// AWS error code, e.g. `ClusterNotFoundException`.
    pub code: String,
    /// Text for a person; AWS's own wording where it is known.
    pub message: String,
    /// HTTP status; most AWS client errors are 400.
    pub status: u16,
    /// Further modelled members of the error, e.g. `resourceIds` of ECS's `ConflictException`.
    pub fields: Map<String, Value>,
}

impl ApiError {
    /// A client error with HTTP status 400.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, fields: Map::new() }
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same error with one more modelled member.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// A failure of the endpoint itself (500): the SDKs retry it, and a person reads what to do.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalFailure", message).status(500)
    }

    /// The refusal of an operation that this endpoint does not do, named with its service.
    pub fn unknown_operation(service: &str, operation: &str) -> Self {
        Self::new(
            "UnknownOperationException",
            format!(
                "The operation {service}:{operation} is not supported by the local endpoint; see docs/reference/local-aws.md for what is."
            ),
        )
    }

    /// The refusal of something that AWS has and this endpoint does not do. `what` names it.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(
            "UnsupportedOperation",
            format!("{what} is not supported by the local endpoint; see docs/reference/local-aws.md for what is."),
        )
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let advice = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                "the disk with the state directory is full; free some space and repeat the command. Nothing was changed."
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "the state directory is not writable; check its owner and mode. Nothing was changed."
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                "the state is damaged and was left as it is; copy it if you need it, then run `fis-workshop local reset`."
            }
            Some(ErrorCode::SystemIoFailure) => {
                "reading or writing the state directory failed; check the disk (full? unplugged?) and repeat the command."
            }
            _ => "please report this as a bug of the local endpoint.",
        };
        Self::internal(format!("The local endpoint could not use its state: {error}: {advice}"))
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(format!(
            "The local endpoint holds state that this version cannot read ({error}); run `fis-workshop local reset` to start afresh."
        ))
    }
}
