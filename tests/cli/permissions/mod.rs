//! Least privilege, proven: what a run uses is compared with what policies allow, both ways. docs/permissions.md says
//! why the rest is there.

mod acting;
mod cloudformation;
mod documents;
mod needs;
mod operations;
mod people;
mod policy;
mod roles;

use std::path::{Path, PathBuf};

use policy::Policy;

/// A policy of docs/permissions.
fn document(name: &str) -> (Policy, String) {
    let text = std::fs::read_to_string(directory().join(name)).unwrap();
    (Policy::of(&serde_json::from_str(&text).unwrap()), text)
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/permissions")
}

/// The page that explains them.
fn page() -> String {
    std::fs::read_to_string(directory().with_extension("md")).unwrap()
}
