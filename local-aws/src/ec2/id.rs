//! Ids as EC2 makes them.

use sha2::{Digest, Sha256};

/// A new id as EC2 makes them: a prefix and 17 hexadecimal digits, of which the first is 0.
pub(super) fn new_id(prefix: &str) -> String {
    let digits = uuid::Uuid::new_v4().simple().to_string();
    format!("{prefix}-0{}", &digits[..16])
}

/// Digits that follow from the text, for what is no secret and has to stay the same.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
