//! From an image to what a program of it needs, by Docker's rules: its words, its variables, its directory, its file.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::ecr::pull::PulledImage;
use crate::images::resolve;

/// Docker's, for images that set none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is to be run instead of what the image says; nothing where that counts.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Replacement<'a> {
    pub(crate) entry_point: &'a [String],
    pub(crate) command: &'a [String],
}

/// Entry point and command. Another entry point makes the image's command void.
pub(crate) fn words(image: &PulledImage, instead: Replacement<'_>) -> Vec<String> {
    let config = image.config.config().as_ref();
    let of_image = |list: Option<&Option<Vec<String>>>| list.cloned().flatten().unwrap_or_default();
    let (entry_point, image_command) = if instead.entry_point.is_empty() {
        (of_image(config.map(|config| config.entrypoint())), of_image(config.map(|config| config.cmd())))
    } else {
        (instead.entry_point.to_vec(), Vec::new())
    };
    let command = if instead.command.is_empty() { image_command } else { instead.command.to_vec() };
    entry_point.into_iter().chain(command).collect()
}

/// Variables of a program; a later value replaces an earlier one.
#[derive(Debug)]
pub(crate) struct Variables(Vec<(String, String)>);

impl Variables {
    /// What Docker sets, and the image.
    pub(crate) fn of(image: &PulledImage) -> Self {
        // The image's root as HOME: there the SDK finds no settings of the user of this machine.
        let mut variables = Self(Vec::new());
        variables.set("PATH", DEFAULT_PATH);
        variables.set("HOME", &image.rootfs.to_string_lossy());
        for variable in image.config.config().as_ref().and_then(|config| config.env().as_ref()).into_iter().flatten() {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            variables.set(name, value);
        }
        variables
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(crate) fn into_list(self) -> Vec<(String, String)> {
        self.0
    }

    fn path(&self) -> &str {
        self.0.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value)
    }
}

/// The working directory, made when the image lacks it; its name and the failure when it cannot be.
pub(crate) fn directory(image: &PulledImage, instead: Option<&str>) -> Result<PathBuf, (String, std::io::Error)> {
    let of_image = image.config.config().as_ref().and_then(|config| config.working_dir().clone());
    let directory = instead.map(str::to_owned).or(of_image).unwrap_or_default();
    resolve(&image.rootfs, Path::new(&directory))
        .and_then(|path| std::fs::create_dir_all(&path).map(|()| path))
        .map_err(|error| (directory, error))
}

/// Why a program's file cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoProgram {
    /// Under this path, or, of a name, nowhere in `PATH`.
    Missing,
    /// It is there, and nobody may execute it.
    NotExecutable,
}

/// The program's file: an absolute path, one relative to the working directory, or a name to look for in `PATH`.
pub(crate) fn find(
    image: &PulledImage,
    directory: &Path,
    name: &str,
    variables: &Variables,
) -> Result<PathBuf, NoProgram> {
    let root = &image.rootfs;
    let inside = directory.strip_prefix(root).unwrap_or(Path::new(""));
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![inside.join(name)]
    } else {
        variables.path().split(':').map(|entry| Path::new(entry).join(name)).collect()
    };
    let mut failure = NoProgram::Missing;
    for candidate in candidates {
        let Ok(file) = resolve(root, &candidate) else { continue };
        match std::fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => return Ok(file),
            Ok(_) => failure = NoProgram::NotExecutable,
            Err(_) => {}
        }
    }
    Err(failure)
}

/// Whether image and this machine are of this architecture, in Docker's name of it.
pub(crate) fn fits(image: &PulledImage, architecture: &str) -> bool {
    let host = if architecture == "arm64" { "aarch64" } else { "x86_64" };
    image.config.architecture().to_string() == architecture && std::env::consts::ARCH == host
}
