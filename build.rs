//! Builds the workers, packs each into an OCI image, and hands the images to `src/aws/images/embedded.rs`: so the one
//! binary `fis-workshop` is all that a person needs.
//!
//! What is shipped holds the images for both processors of Fargate, where this machine can build them, or where somebody
//! has: `FIS_WORKSHOP_PROGRAMS` names a directory with `x86_64/worker` and `arm64/worker`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use fis_workshop_images::pack::{Platform, pack};
use fis_workshop_images::programs::{self, Programs, Quality};
use fis_workshop_images::{Architecture, Blob, PROGRAM};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Variable with the directory of programs that were built elsewhere, e.g. for a Mac, which builds none for Linux.
const PROGRAMS: &str = "FIS_WORKSHOP_PROGRAMS";

fn main() -> Result<()> {
    for path in ["build.rs", "worker", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml"] {
        println!("cargo:rerun-if-changed={path}");
    }
    println!("cargo:rerun-if-env-changed={PROGRAMS}");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    version(&root)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let rust_name = env::var("CARGO_CFG_TARGET_ARCH")?;
    let own = Architecture::of_rust(&rust_name)
        .ok_or_else(|| format!("Fargate has no processors of the architecture {rust_name}"))?;
    // `release`, also for profiles that inherit it; tests and `make lab` have no use for small programs.
    let quality = if env::var("PROFILE")? == "release" { Quality::Shipped } else { Quality::Quick };
    let mut source = format!(
        "const ARCHITECTURE: Architecture = Architecture::{own:?};\n\
         pub(crate) const QUALITY: Quality = Quality::{quality:?};\n\
         static SETS: &[Set] = &[\n"
    );
    for (platform, architecture, programs) in all_programs(&root, own, quality)? {
        source.push_str(&set(&out, &platform, architecture, &programs)?);
    }
    source.push_str("];\n");
    fs::write(out.join("images.rs"), source)?;
    Ok(())
}

/// What `--version` says: with the commit, where the source is a checkout.
fn version(root: &Path) -> Result<()> {
    let git = |args: &[&str]| {
        let output = Command::new("git").current_dir(root).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A checkout of something else around an unpacked archive is not ours.
    let is_ours = git(&["rev-parse", "--show-prefix"]).is_some_and(|prefix| prefix.is_empty());
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| is_ours);
    let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    println!("cargo:rustc-env=FIS_WORKSHOP_VERSION={}{commit}", env::var("CARGO_PKG_VERSION")?);
    // Every commit and every switch of branches appends to it.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| is_ours && root.join(log).exists()) {
        println!("cargo:rerun-if-changed={}", root.join(log).display());
    }
    Ok(())
}

/// Where the file with the programs is for each platform: this machine's, for the local endpoint, and those of Fargate.
fn all_programs(
    root: &Path,
    own: Architecture,
    quality: Quality,
) -> Result<Vec<(Platform<'static>, Architecture, PathBuf)>> {
    let target = env::var("TARGET")?;
    let is_linux = env::var("CARGO_CFG_TARGET_OS")? == "linux";
    let mut all = Vec::new();
    if !is_linux {
        // On a Mac, the workers of the local endpoint are programs of the Mac.
        let platform = Platform { architecture: own.oci(), os: "darwin" };
        all.push((platform, own, build(root, &target, None, quality)?));
    }
    for architecture in Architecture::ALL {
        let platform = Platform { architecture: architecture.oci(), os: "linux" };
        let elsewhere = env::var_os(PROGRAMS).map(|directory| PathBuf::from(directory).join(architecture.name()));
        if let Some(program) = elsewhere.map(|directory| directory.join(PROGRAM)).filter(|file| file.is_file()) {
            println!("cargo:rerun-if-changed={}", program.display());
            all.push((platform, architecture, program));
        } else if is_linux && architecture == own {
            all.push((platform, architecture, build(root, &target, None, quality)?));
        } else if quality == Quality::Shipped {
            match programs::linker(root, architecture) {
                Ok(linker) => {
                    all.push((platform, architecture, build(root, architecture.rust_target(), linker, quality)?));
                }
                Err(missing) => println!("cargo:warning=no images for {architecture} inside: {missing}"),
            }
        }
    }
    Ok(all)
}

fn build(root: &Path, target: &str, linker: Option<&std::ffi::OsStr>, quality: Quality) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").ok_or("CARGO is not set")?;
    Ok(Programs { source: root, cargo: &cargo, target, linker, quality }.build()?)
}

/// The images for one platform, as an expression.
fn set(out: &Path, platform: &Platform, architecture: Architecture, program: &Path) -> Result<String> {
    let Platform { os, .. } = platform;
    let images = pack(&fs::read(program)?, platform)?;
    let name = format!("{os}-{}", architecture.name());
    let mut source = format!("    Set {{ os: {os:?}, architecture: Architecture::{architecture:?}, images: &[\n");
    for image in &images {
        let manifest = embed(out, &format!("{name}-{}.manifest", image.name), &image.manifest)?;
        let config = embed(out, &format!("{name}-{}.config", image.name), &image.config)?;
        source.push_str(&format!(
            "        Embedded {{ name: {:?}, manifest: {manifest}, config: {config} }},\n",
            image.name
        ));
    }
    // Theirs is one: what is included twice is in the program twice.
    let layers = images.first().map(|image| image.layers.as_slice()).unwrap_or_default();
    let layers = layers.iter().enumerate().map(|(index, layer)| embed(out, &format!("{name}.layer{index}"), layer));
    let layers = layers.collect::<Result<Vec<_>>>()?.join(", ");
    source.push_str(&format!("    ], layers: &[{layers}] }},\n"));
    Ok(source)
}

/// Writes the blob beside the program that will contain it; returns its digest and content as an expression.
fn embed(out: &Path, name: &str, blob: &Blob) -> Result<String> {
    let file = out.join(name);
    fs::write(&file, &blob.bytes)?;
    Ok(format!("({:?}, include_bytes!({file:?}))", blob.digest))
}
