//! Ids of templates and experiments.

use crate::identity::random_text;

/// An id as AWS FIS makes them, e.g. `EXPYciXq641jU5e1Rk`.
pub(super) fn new_id(prefix: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    format!("{prefix}{}", random_text(alphabet, 15))
}
