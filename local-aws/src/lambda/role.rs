//! What Lambda itself does in the function's role: write its log, hand on what came of its events.

use std::collections::BTreeMap;

use super::function::Function;
use crate::error::ApiError;
use crate::iam;
use crate::store::Tx;

/// Whether the role may do this.
pub(super) fn may(tx: &Tx<'_>, function: &Function, action: &str, resource: &str) -> Result<bool, ApiError> {
    let context = BTreeMap::from([("sts:RoleSessionName".to_owned(), function.name.clone())]);
    match iam::authorize(tx, &function.settings.role, action, resource, &context) {
        Ok(()) => Ok(true),
        Err(error) if error.status >= 500 => Err(error),
        Err(error) => {
            tracing::debug!(function = function.name, %error, "the function's role is too small");
            Ok(false)
        }
    }
}

/// Whether the role may send to the queue; what the queue's own policy says does not count when it is named.
pub(super) fn may_send(tx: &Tx<'_>, function: &Function, queue: &str) -> Result<bool, ApiError> {
    may(tx, function, "sqs:SendMessage", queue)
}
