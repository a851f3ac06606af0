//! Builds the workers' programs for both processors of Fargate: `cargo run --example programs -- DIRECTORY`. For machines
//! that cannot, such as a Mac, which then builds the deployer with `FIS_WORKSHOP_PROGRAMS=DIRECTORY`.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use fis_workshop_images::programs::{Programs, Quality, linker};
use fis_workshop_images::{Architecture, PROGRAM};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(env::args_os().nth(1).ok_or("usage: programs DIRECTORY")?);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate is in no workspace")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    for architecture in Architecture::ALL {
        let linker = linker(source, architecture)?;
        let target = architecture.rust_target();
        let built = Programs { source, cargo: &cargo, target, linker, quality: Quality::Shipped }.build()?;
        let to = directory.join(architecture.name());
        fs::create_dir_all(&to)?;
        fs::copy(built, to.join(PROGRAM))?;
    }
    Ok(())
}
