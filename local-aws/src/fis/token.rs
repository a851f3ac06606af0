//! Client tokens: the same request sent again makes nothing new.

use serde::{Deserialize, Serialize};

use super::refusal::{conflict, invalid};
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A token that was used, and for what.
#[derive(Serialize, Deserialize)]
struct ClientToken {
    operation: String,
    token: String,
    /// The request without its token.
    request: String,
    /// What the request made.
    resource_id: String,
}

impl Record for ClientToken {
    const KIND: &'static str = "fis.client-token";
    fn id(&self) -> String {
        format!("{}/{}", self.operation, self.token)
    }
}

/// The id of what an earlier request with this token made.
///
/// # Errors
/// ConflictException when the earlier request was another one.
pub(super) fn used(
    tx: &Tx<'_>,
    operation: &str,
    token: &str,
    request: &impl Serialize,
) -> Result<Option<String>, ApiError> {
    if token.is_empty() || token.len() > 1024 || token.contains(char::is_whitespace) {
        return Err(invalid("clientToken must have 1 to 1024 characters and no white space."));
    }
    let Some(known) = tx.get::<ClientToken>(&format!("{operation}/{token}"))? else { return Ok(None) };
    if known.request == serde_json::to_string(request)? {
        return Ok(Some(known.resource_id));
    }
    Err(conflict(format!("The client token {token} was already used for {operation} with different parameters.")))
}

/// Keeps the token with what its request made.
pub(super) fn keep(
    tx: &Tx<'_>,
    operation: &str,
    token: &str,
    request: &impl Serialize,
    resource_id: &str,
) -> Result<(), ApiError> {
    tx.put(&ClientToken {
        operation: operation.to_owned(),
        token: token.to_owned(),
        request: serde_json::to_string(request)?,
        resource_id: resource_id.to_owned(),
    })
}
