//! Builds the workers, packs each into an OCI image, and hands the images to `src/aws/images.rs`: so the one binary
//! `fis-workshop` is all that a person needs.

#[path = "build/image.rs"]
mod image;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The workers' programs, which are also the variants' names.
const WORKERS: [&str; 2] = ["original", "improved"];

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["build.rs", "build", "worker", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = env::var("TARGET")?;
    println!("cargo:rustc-env=WORKER_CPU_ARCHITECTURE={}", cpu_architecture()?);
    let programs = build_workers(&root, &target)?;

    let mut source = String::from("/// The images of the workers.\npub const IMAGES: [Image; 2] = [\n");
    for worker in WORKERS {
        let program = fs::read(programs.join(worker))?;
        let platform = image::Platform { architecture: oci_architecture()?, os: &env::var("CARGO_CFG_TARGET_OS")? };
        let image = image::pack(worker, &program, &platform)?;
        source.push_str(&format!("    Image {{ name: {worker:?}"));
        for (part, blob) in [("manifest", &image.manifest), ("config", &image.config), ("layer", &image.layer)] {
            let file = out.join(format!("{worker}.{part}"));
            fs::write(&file, &blob.bytes)?;
            let digest = &blob.digest;
            source.push_str(&format!(", {part}: Blob {{ digest: {digest:?}, bytes: include_bytes!({file:?}) }}"));
        }
        source.push_str(" },\n");
    }
    source.push_str("];\n");
    fs::write(out.join("images.rs"), source)?;
    Ok(())
}

/// Architecture as ECS names it.
fn cpu_architecture() -> Result<&'static str, Box<dyn Error>> {
    match env::var("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "x86_64" => Ok("X86_64"),
        "aarch64" => Ok("ARM64"),
        other => Err(format!("Fargate has no processors of the architecture {other}").into()),
    }
}

/// Architecture as OCI names it.
fn oci_architecture() -> Result<&'static str, Box<dyn Error>> {
    Ok(if cpu_architecture()? == "ARM64" { "arm64" } else { "amd64" })
}

/// Runs another cargo with a target directory of its own; returns the directory of the programs.
fn build_workers(root: &Path, target: &str) -> Result<PathBuf, Box<dyn Error>> {
    let target_dir = root.join("target").join("worker");
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(root);
    cargo.args(["build", "--locked", "--package", "fis-workshop-worker", "--bins", "--profile", "worker"]);
    cargo.args(["--target", target]).arg("--target-dir").arg(&target_dir);
    // What the outer cargo has set for this script is not for the inner one: clippy's wrapper, flags, features.
    for (name, _) in env::vars_os() {
        let foreign = name.to_str().is_some_and(|name| {
            ["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_PROFILE_"]
                .iter()
                .any(|start| name.starts_with(start))
                || [
                    "CARGO_ENCODED_RUSTFLAGS",
                    "CARGO_TARGET_DIR",
                    "CARGO_BUILD_TARGET",
                    "RUSTC_WORKSPACE_WRAPPER",
                    "RUSTC",
                    "RUSTDOC",
                    "RUSTFLAGS",
                ]
                .contains(&name)
        });
        if foreign {
            cargo.env_remove(name);
        }
    }
    cargo.env("RUSTFLAGS", rust_flags(root, target));
    let output = cargo.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("The workers cannot be built:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(target_dir.join(target).join("worker"))
}

/// Static, so that an image needs nothing but the program; without paths of this machine, so that the same source
/// has the same digest everywhere.
fn rust_flags(root: &Path, target: &str) -> String {
    let mut flags = Vec::new();
    if target.contains("linux") {
        flags.push("-Ctarget-feature=+crt-static".to_owned());
    }
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    for (path, name) in [(Some(root.to_owned()), "/source"), (home, "/cargo")] {
        if let Some(path) = path {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
    }
    flags.join(" ")
}
