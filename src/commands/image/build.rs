use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use fis_workshop_images::pack::{Platform, pack};
use fis_workshop_images::programs::{Programs, find_source, linker};
use fis_workshop_images::{Architecture, Error as ImageError, Image, layout};
use serde::Serialize;

use super::super::context::Context;
use crate::aws::images::{self, embedded};
use crate::error::{Error, Result};

/// Build the images into an OCI layout
///
/// In the project's directory they are built from the source there. Elsewhere those inside this program are written,
/// which are for this machine's processor. `up --arch` takes what is in the state directory.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop image build --arch arm64   For `up --target aws --arch arm64`
  fis-workshop image build --to images    An OCI layout for other tools:
  skopeo inspect oci:images:original
  podman run --rm oci:images:improved")]
pub(super) struct BuildArgs {
    /// Processor: x86_64 or arm64 [default: this machine's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<Architecture>,
    /// Where to put the layout [default: the state directory]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// The project's directory [default: the current one, or one above it]
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

/// What was built.
#[derive(Debug, Serialize)]
struct Report {
    /// The layout.
    directory: PathBuf,
    /// What the images run on.
    architecture: &'static str,
    /// Whether they come from the source, and not from inside this program.
    from_source: bool,
    /// The images.
    images: Vec<ReportedImage>,
}

#[derive(Debug, Serialize)]
struct ReportedImage {
    name: String,
    digest: String,
    /// Compressed.
    bytes: usize,
}

/// Builds the images.
///
/// # Errors
/// When there is neither source nor an embedded image, the tool chain lacks something, or the layout cannot be written.
pub(super) async fn run(context: &Context, args: BuildArgs) -> Result<u8> {
    let architecture = args.arch.unwrap_or(embedded::architecture());
    let source = source(args.source.as_deref())?;
    let directory = args.to.unwrap_or_else(|| images::directory(&context.settings.state_dir, architecture));
    let from_source = source.is_some();
    let built = match source {
        Some(source) => {
            let line = context.ui.progress(format!("Building the workers for {architecture} in {}", source.display()));
            // Cargo takes its time; the progress line should live on.
            let work = tokio::task::spawn_blocking(move || build(&source, architecture));
            let built = work.await.map_err(|error| Error::failed("The images were not built.").cause(error))??;
            drop(line);
            built
        }
        None => embedded::for_fargate(architecture).ok_or_else(|| {
            Error::failed(format!(
                "There is no source here to build the images for {architecture} from; this program holds those for {}.",
                embedded::names()
            ))
            .hint("Run this in the project's directory (its worker/ is needed), or name it with `--source DIR`.")
        })?,
    };
    layout::write(&directory, &built).map_err(|error| {
        Error::failed(format!("The images cannot be written to {}.", directory.display())).cause(error)
    })?;
    let images = built.iter().map(|image| ReportedImage {
        name: image.name.clone(),
        digest: image.manifest.digest.clone(),
        bytes: image.layers.iter().chain([&image.config, &image.manifest]).map(|blob| blob.bytes.len()).sum(),
    });
    let images = images.collect();
    context.ui.result(&Report { directory, architecture: architecture.name(), from_source, images })?;
    Ok(0)
}

fn source(named: Option<&Path>) -> Result<Option<PathBuf>> {
    let start = match named {
        Some(directory) => directory.to_owned(),
        None => std::env::current_dir()
            .map_err(|error| Error::usage("The current directory does not exist any more.").cause(error))?,
    };
    let absolute = std::path::absolute(&start)
        .map_err(|error| Error::usage(format!("{} is not a valid path.", start.display())).cause(error))?;
    match (find_source(&absolute), named) {
        (Some(source), _) => Ok(Some(source.to_owned())),
        (None, None) => Ok(None),
        (None, Some(directory)) => {
            Err(Error::usage(format!("{} is not the project's directory.", directory.display()))
                .hint("It is the one with Cargo.lock and worker/ in it."))
        }
    }
}

fn build(source: &Path, architecture: Architecture) -> Result<Vec<Image>> {
    let failed = |error: ImageError| explain(error, architecture);
    let linker = linker(source, architecture).map_err(failed)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // As those inside this program: the same source has the same digest either way.
    let (target, quality) = (architecture.rust_target(), embedded::QUALITY);
    let programs = Programs { source, cargo: &cargo, target, linker, quality }.build();
    let programs = programs.map_err(failed)?;
    let platform = Platform { architecture: architecture.oci(), os: "linux" };
    let program = std::fs::read(&programs).map_err(|error| failed(ImageError::File { path: programs, error }))?;
    pack(&program, &platform).map_err(failed)
}

/// What to do about it, where we know.
fn explain(error: ImageError, architecture: Architecture) -> Error {
    let failed = Error::failed(format!("The images for {architecture} cannot be built.")).cause(&error);
    match error {
        ImageError::TargetMissing(target) => failed.hint(format!("`rustup target add {target}` installs it.")),
        ImageError::LinkerMissing { linker, .. } => failed.hint(format!(
            "Debian and Ubuntu: `apt-get install {}`; elsewhere, a cross compiler named {linker} on the PATH.",
            architecture.cross_package()
        )),
        ImageError::Toolchain { .. } => failed.hint("Install Rust with rustup (https://rustup.rs)."),
        _ => failed,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for image in &self.images {
            writeln!(f, "oci:{}:{}  {}  {} bytes", self.directory.display(), image.name, image.digest, image.bytes)?;
        }
        let origin = if self.from_source { "built from the source" } else { "those inside this program" };
        writeln!(f, "For {}, {origin}.", self.architecture)
    }
}
