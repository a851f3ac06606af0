//! The workers' container images, without a container daemon: [`programs`] builds the workers, [`pack`] makes an image
//! of each, [`layout`] keeps images in a directory.
//!
//! `build.rs` uses it for the images inside the deployer, `fis-workshop image build` for all others: the same
//! source has the same digest either way.

pub mod architecture;
pub mod layout;
pub mod pack;
pub mod programs;

pub use architecture::Architecture;
pub use pack::{Blob, Image};

/// The workers' programs, in the order of the chapter.
pub const WORKERS: &[&str] = &["original", "improved", "queue", "watchdog"];

/// What can go wrong with images.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The standard library for the target is not there.
    #[error("the Rust target {0} is not installed")]
    TargetMissing(&'static str),
    /// Nothing links programs for the target.
    #[error("there is no linker {linker} for the target {target}")]
    LinkerMissing {
        /// Its name.
        linker: &'static str,
        /// For what.
        target: &'static str,
    },
    /// Cargo or the compiler cannot be run.
    #[error("{program} cannot be run: {error}")]
    Toolchain {
        /// Which program.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// The C library is too old to be linked in.
    #[error(
        "the workers cannot be built: with this machine's glibc {}.{}, a program in an image finds no address by its name. \
         Build with glibc 2.34 or later (Debian 12, Ubuntu 22.04, RHEL 9), or take the programs of such a machine: \
         `make programs` there, and its `dist/programs` as FIS_WORKSHOP_PROGRAMS here", .0.0, .0.1
    )]
    OldLibrary((u32, u32)),
    /// Cargo ran and failed.
    #[error("the workers cannot be built:\n{0}")]
    Build(String),
    /// Something is no image layout, or a damaged one.
    #[error("{0}")]
    Damaged(String),
    /// A document that OCI's specification does not allow.
    #[error(transparent)]
    Specification(#[from] oci_spec::OciSpecError),
}

impl Error {
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}
