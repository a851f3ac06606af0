//! The report: one page with everything that a run has shown, made of its record and of nothing else.
//!
//! - [`timeline`]: what happened on each variant's turn, on one clock; [`picture`]: that as SVG, [`curves`]: how full the
//!   table was, both above the same [`clock`]
//! - [`page`]: the page around it; `style.css` is inside it, and it loads nothing

mod clock;
mod curves;
mod page;
mod picture;
mod timeline;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::record::Run;

/// Name of the page.
pub(crate) const FILE: &str = "report.html";

/// Writes the report of `run` into `folder` and says where it is. A reader sees the page that was there before, or the new one.
///
/// # Errors
/// When the record holds a result that is none, or the folder cannot be written.
pub(crate) fn write(run: &Run, folder: &Path) -> Result<PathBuf> {
    let page = page::page(run)?;
    let path = folder.join(FILE);
    let unfinished = folder.join(format!(".{FILE}.{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        new_file(&unfinished)?.write_all(page.as_bytes())?;
        std::fs::rename(&unfinished, &path)
    };
    write().map_err(|error| Error::failed(format!("{} cannot be written.", path.display())).cause(error))?;
    Ok(path)
}

/// A page shows the account's number and what programs have printed: for the owner only.
fn new_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
