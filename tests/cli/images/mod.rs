//! The workers' images, judged by a registry, by skopeo and by podman.

mod build;
mod dockerfiles;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod podman;
#[cfg(target_os = "linux")]
mod push;
#[cfg(target_os = "linux")]
mod ready;
#[cfg(target_os = "linux")]
mod registry;

use std::path::PathBuf;
use std::process::{Command, Output};

/// A tool of the system that judges ours.
fn tool(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found: Option<PathBuf> = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join(name))
        .find(|path| path.exists());
    Command::new(found.unwrap_or_else(|| panic!("{name} is missing: on Debian, `apt-get install {name}`")))
}

/// stdout of a command that must succeed.
fn stdout(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
