//! Builds the workers, packs each into an OCI image, and hands the images to `src/aws/images/embedded.rs`: so the one
//! binary `fis-workshop` is all that a person needs.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use fis_workshop_images::pack::{Platform, pack};
use fis_workshop_images::programs::{Programs, Quality};
use fis_workshop_images::{Architecture, Blob, WORKERS};

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["build.rs", "worker", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = env::var("TARGET")?;
    let rust_name = env::var("CARGO_CFG_TARGET_ARCH")?;
    let architecture = Architecture::of_rust(&rust_name)
        .ok_or_else(|| format!("Fargate has no processors of the architecture {rust_name}"))?;
    let os = env::var("CARGO_CFG_TARGET_OS")?;
    let cargo = env::var_os("CARGO").ok_or("CARGO is not set")?;
    // `release`, also for profiles that inherit it; tests and `make lab` have no use for small programs.
    let quality = if env::var("PROFILE")? == "release" { Quality::Shipped } else { Quality::Quick };
    let programs = Programs { source: &root, cargo: &cargo, target: &target, linker: None, quality }.build()?;
    // On a Mac, the workers of the local endpoint are programs of the Mac.
    let platform = Platform { architecture: architecture.oci(), os: if os == "macos" { "darwin" } else { &os } };

    let mut source = format!(
        "const ARCHITECTURE: Architecture = Architecture::{architecture:?};\n\
         const OS: &str = {:?};\n\
         const IMAGES: &[Embedded] = &[\n",
        platform.os
    );
    for worker in WORKERS {
        let image = pack(worker, &fs::read(programs.join(worker))?, &platform)?;
        let manifest = embed(&out, worker, "manifest", &image.manifest)?;
        let config = embed(&out, worker, "config", &image.config)?;
        let layers: Vec<String> = image
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| embed(&out, worker, &format!("layer{index}"), layer))
            .collect::<Result<_, _>>()?;
        source.push_str(&format!(
            "    Embedded {{ name: {worker:?}, manifest: {manifest}, config: {config}, layers: &[{}] }},\n",
            layers.join(", ")
        ));
    }
    source.push_str("];\n");
    fs::write(out.join("images.rs"), source)?;
    Ok(())
}

/// Writes the blob beside the program that will contain it; returns its digest and content as an expression.
fn embed(out: &Path, worker: &str, part: &str, blob: &Blob) -> Result<String, Box<dyn Error>> {
    let file = out.join(format!("{worker}.{part}"));
    fs::write(&file, &blob.bytes)?;
    Ok(format!("({:?}, include_bytes!({file:?}))", blob.digest))
}
