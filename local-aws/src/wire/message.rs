//! What protocols are decoded to and encoded from.

use serde_json::Value;

/// A decoded request.
pub(crate) struct Request {
    /// Operation of the AWS model, e.g. `RunTask`.
    pub(crate) operation: String,
    /// Its input in the model's member names; scalars of the query protocols are strings.
    pub(crate) input: Value,
}

/// A service's answer, with the operation that names the XML element around it.
pub(crate) struct Reply {
    pub(crate) operation: &'static str,
    pub(crate) output: Value,
}
