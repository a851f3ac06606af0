//! Room on the disk for what makes room: without it, nothing can be deleted once the disk is full.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::ApiError;

/// Enough for the deletion of a few stacks, with their events.
const SIZE: usize = 4 * 1024 * 1024;

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("reserve")
}

/// Makes it, unless it is whole.
pub(crate) fn keep(state_dir: &Path) -> io::Result<()> {
    let path = path(state_dir);
    if fs::metadata(&path).is_ok_and(|file| file.len() == SIZE as u64) {
        return Ok(());
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    // Half of it would be worse than nothing.
    file.write_all(&vec![0; SIZE]).or_else(|error| fs::remove_file(&path).and(Err(error)))
}

/// Gives it away; whether there was one.
pub(crate) fn give_away(state_dir: &Path) -> bool {
    fs::remove_file(path(state_dir)).is_ok()
}

/// Whether an operation of this name makes room.
pub(crate) fn is_for(operation: &str) -> bool {
    ["Delete", "BatchDelete", "Deregister", "Purge", "Stop", "Untag"].iter().any(|verb| operation.starts_with(verb))
}

/// Whether the disk is full: in the words of SQLite, of both databases, or of the system.
pub(crate) fn is_needed(error: &ApiError) -> bool {
    let words = ["database or disk is full", "No space left on device"];
    error.status >= 500 && words.iter().any(|words| error.message.contains(words))
}
