//! Digests, by which the files of images are named.

use sha2::{Digest, Sha256};

/// The digest of these bytes: `sha256:` and hex digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    named(&Sha256::digest(bytes))
}

/// The digest of what was hashed piece by piece.
pub(super) fn finished(hash: Sha256) -> String {
    named(&hash.finalize())
}

fn named(hash: &[u8]) -> String {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Whether it is `sha256:` with 64 lower-case hex digits: a digest as our files are named by.
pub(crate) fn is_sha256(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}
