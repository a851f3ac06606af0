//! Builds the workers' programs: static and stripped. Those that are shipped are small, and the same bytes wherever they
//! are built.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{Architecture, Error, PROGRAM};

/// The first glibc whose static programs resolve names by themselves. Older ones load a library for that, and an image has
/// none (release notes of 2.34: `libnss_files` and `libnss_dns` are part of libc).
const GLIBC: (u32, u32) = (2, 34);

/// How much work goes into the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// For images that leave this machine: a third of the size, four times the work.
    Shipped,
    /// For the lab and the tests on this machine.
    Quick,
}

impl Quality {
    /// Profile of the workspace.
    fn profile(self) -> &'static str {
        match self {
            Self::Shipped => "worker",
            Self::Quick => "worker-quick",
        }
    }
}

/// What to build, and with what.
#[derive(Debug)]
pub struct Programs<'a> {
    /// The project's workspace.
    pub source: &'a Path,
    /// Cargo.
    pub cargo: &'a OsStr,
    /// Rust's name of the target.
    pub target: &'a str,
    /// The linker, unless it is the target's usual one.
    pub linker: Option<&'a OsStr>,
    /// For where they will run.
    pub quality: Quality,
}

impl Programs<'_> {
    /// Runs cargo, with a target directory of its own within the project's; returns the file with the programs.
    ///
    /// # Errors
    /// When the C library is too old, or cargo cannot be run or fails.
    pub fn build(&self) -> Result<PathBuf, Error> {
        self.check_library()?;
        let profile = self.quality.profile();
        let target_dir = self.source.join("target/worker");
        let mut cargo = Command::new(self.cargo);
        cargo.current_dir(self.source);
        cargo.args(["build", "--locked", "--package", "fis-workshop-worker", "--bin", PROGRAM, "--profile", profile]);
        cargo.args(["--target", self.target]).arg("--target-dir").arg(&target_dir);
        // What an outer cargo has set for a build script is not for the inner one: clippy's wrapper, flags, features.
        for (name, value) in env::vars_os() {
            // zig, with which the deployer is linked for old systems, cannot link a static glibc.
            let is_zig = value.to_string_lossy().contains("zig") && !name.eq_ignore_ascii_case("PATH");
            if is_zig || name.to_str().is_some_and(is_of_outer_cargo) {
                cargo.env_remove(name);
            }
        }
        cargo.env("RUSTFLAGS", self.rust_flags());
        if let Some(linker) = self.linker {
            let target = self.target.replace('-', "_");
            cargo.env(format!("CARGO_TARGET_{}_LINKER", target.to_uppercase()), linker);
            // Assembler and C of the TLS library.
            cargo.env(format!("CC_{target}"), linker);
        }
        let output = cargo.output().map_err(|error| self.cannot_run(error))?;
        if !output.status.success() {
            return Err(Error::Build(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(target_dir.join(self.target).join(profile).join(PROGRAM))
    }

    fn check_library(&self) -> Result<(), Error> {
        if !self.target.contains("linux-gnu") {
            return Ok(());
        }
        let mut compiler = Command::new(self.linker.unwrap_or(OsStr::new("cc")));
        compiler.args(["-E", "-dM", "-include", "features.h", "-x", "c", "/dev/null"]);
        // A compiler that cannot be run is for cargo to tell of.
        let macros = compiler.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        match macros.ok().and_then(|macros| glibc(&macros)) {
            Some(version) if version < GLIBC => Err(Error::OldLibrary(version)),
            _ => Ok(()),
        }
    }

    /// Static, so that an image needs nothing but the program. What is shipped has no paths of this machine in it, so that
    /// the same source has the same digest everywhere.
    fn rust_flags(&self) -> String {
        let mut flags = Vec::new();
        if self.target.contains("linux") {
            flags.push("-Ctarget-feature=+crt-static".to_owned());
        }
        if self.quality == Quality::Shipped {
            let paths = [(Some(self.source.to_owned()), "/source"), (cargo_home(), "/cargo")];
            let remapped = paths.into_iter().filter_map(|(path, name)| Some((path?, name)));
            flags.extend(remapped.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display())));
        }
        flags.join(" ")
    }

    fn cannot_run(&self, error: std::io::Error) -> Error {
        Error::Toolchain { program: self.cargo.to_string_lossy().into_owned(), error }
    }
}

/// The linker that programs for `architecture` need on this machine, `None` for the usual one.
///
/// # Errors
/// When the Rust target is not installed for the toolchain of `source`, or there is no linker.
pub fn linker(source: &Path, architecture: Architecture) -> Result<Option<&'static OsStr>, Error> {
    let target = architecture.rust_target();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(&rustc);
    // In the source's directory: rustup takes the toolchain that it names.
    command.current_dir(source).args(["--print", "target-libdir", "--target", target]);
    let output =
        command.output().map_err(|error| Error::Toolchain { program: rustc.to_string_lossy().into_owned(), error })?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let is_std = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libstd-");
    if !fs::read_dir(libraries).is_ok_and(|entries| entries.flatten().any(is_std)) {
        return Err(Error::TargetMissing(target));
    }
    let is_native = env::consts::OS == "linux" && Architecture::of_rust(env::consts::ARCH) == Some(architecture);
    let chosen = format!("CARGO_TARGET_{}_LINKER", target.replace('-', "_").to_uppercase());
    if is_native || env::var_os(chosen).is_some() {
        return Ok(None);
    }
    let linker = architecture.cross_linker();
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|directory| directory.join(linker).is_file()) {
        Ok(Some(OsStr::new(linker)))
    } else {
        Err(Error::LinkerMissing { linker, target })
    }
}

/// The project's workspace that `directory` is in.
pub fn find_source(directory: &Path) -> Option<&Path> {
    let is_ours = |directory: &&Path| {
        fs::read_to_string(directory.join("worker/Cargo.toml"))
            .is_ok_and(|manifest| manifest.contains("name = \"fis-workshop-worker\""))
            && directory.join("Cargo.lock").is_file()
    };
    directory.ancestors().find(is_ours)
}

/// The version that the C library's own macros name.
fn glibc(macros: &str) -> Option<(u32, u32)> {
    let number = |name: &str| {
        macros.lines().find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.trim().parse().ok())
    };
    Some((number("__GLIBC__ ")?, number("__GLIBC_MINOR__ ")?))
}

fn is_of_outer_cargo(name: &str) -> bool {
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
}

fn cargo_home() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_c_library_whose_programs_resolve_no_names_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (minor, is_refused) in [(31, true), (33, true), (34, false), (36, false)] {
            let compiler = directory.path().join(format!("cc-{minor}"));
            fs::write(&compiler, format!("#!/bin/sh\necho '#define __GLIBC__ 2\n#define __GLIBC_MINOR__ {minor}'\n"))
                .unwrap();
            fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
            let programs = Programs {
                source: directory.path(),
                cargo: OsStr::new("true"),
                target: "x86_64-unknown-linux-gnu",
                linker: Some(compiler.as_os_str()),
                quality: Quality::Quick,
            };
            let refused = programs.build().err().map(|error| error.to_string());
            assert_eq!(refused.is_some(), is_refused, "{refused:?}");
            assert!(refused.is_none_or(|text| text.contains(&format!("glibc 2.{minor},"))));
        }
    }
}
