//! From an image and a container definition to a program, by Docker's rules.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::container_endpoint;
use super::task::Task;
use crate::ecr::pull::PulledImage;
use crate::endpoint::Endpoint;
use crate::images::resolve;
use crate::program::process::Program;

/// Docker's, for images that set none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program of `task`; the text of the failure when the image has none that can be started.
pub(super) fn program(endpoint: &Endpoint, task: &Task, image: &PulledImage) -> Result<Program, String> {
    let environment = environment(endpoint, task, image);
    let mut arguments = command(task, image);
    if arguments.is_empty() {
        return Err("CannotCreateContainerError: no command specified".to_owned());
    }
    let name = arguments.remove(0);
    let directory = directory(task, image)?;
    let path = environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value);
    let program = find(&image.rootfs, &directory, &name, path)?;
    if !fits(task, image) {
        // The kernel's words for a program of another machine, where runc puts them.
        let script = r#"echo "exec $0: exec format error" >&2; exit 255"#;
        let arguments = ["-c", script, &name].map(str::to_owned).to_vec();
        return Ok(Program { path: "/bin/sh".into(), arguments, environment, directory });
    }
    Ok(Program { path: program, arguments, environment, directory })
}

/// Entry point and command. An entry point of the definition makes the image's command void.
fn command(task: &Task, image: &PulledImage) -> Vec<String> {
    let definition = &task.container;
    let config = image.config.config().as_ref();
    let of_image = |list: Option<&Option<Vec<String>>>| list.cloned().flatten().unwrap_or_default();
    let (entry_point, image_command) = if definition.entry_point.is_empty() {
        (of_image(config.map(|config| config.entrypoint())), of_image(config.map(|config| config.cmd())))
    } else {
        (definition.entry_point.clone(), Vec::new())
    };
    let overridden = task.container_override().map(|one| &one.command).filter(|command| !command.is_empty());
    let command = match overridden {
        Some(command) => command.clone(),
        None if !definition.command.is_empty() => definition.command.clone(),
        None => image_command,
    };
    entry_point.into_iter().chain(command).collect()
}

/// The image's variables, then ours, the definition's and the overrides'; a later one replaces an earlier one.
fn environment(endpoint: &Endpoint, task: &Task, image: &PulledImage) -> Vec<(String, String)> {
    let region = &endpoint.identity.region;
    let mut variables: Vec<(String, String)> = vec![
        ("PATH".to_owned(), DEFAULT_PATH.to_owned()),
        // The image's root: there the SDK finds no settings of the user of this machine.
        ("HOME".to_owned(), image.rootfs.to_string_lossy().into_owned()),
    ];
    let mut set = |name: &str, value: &str| match variables.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => value.clone_into(known),
        None => variables.push((name.to_owned(), value.to_owned())),
    };
    for variable in image.config.config().as_ref().and_then(|config| config.env().as_ref()).into_iter().flatten() {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        set(name, value);
    }
    set("AWS_REGION", region);
    set("AWS_DEFAULT_REGION", region);
    set("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE");
    set("AWS_ENDPOINT_URL", &endpoint.url);
    for (name, value) in container_endpoint::variables(endpoint, task) {
        set(name, &value);
    }
    let overridden = task.container_override().map_or(&[][..], |one| &one.environment);
    for variable in task.container.environment.iter().chain(overridden) {
        set(&variable.name, &variable.value);
    }
    variables
}

/// The working directory, made when the image lacks it.
fn directory(task: &Task, image: &PulledImage) -> Result<PathBuf, String> {
    let of_image = image.config.config().as_ref().and_then(|config| config.working_dir().clone());
    let directory = task.container.working_directory.clone().or(of_image).unwrap_or_default();
    resolve(&image.rootfs, Path::new(&directory))
        .and_then(|path| std::fs::create_dir_all(&path).map(|()| path))
        .map_err(|error| format!("CannotCreateContainerError: working directory '{directory}': {error}"))
}

/// The program's file: an absolute path, one relative to the working directory, or a name to look for in `path`.
fn find(root: &Path, directory: &Path, name: &str, path: &str) -> Result<PathBuf, String> {
    let inside = directory.strip_prefix(root).unwrap_or(Path::new(""));
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![inside.join(name)]
    } else {
        path.split(':').map(|entry| Path::new(entry).join(name)).collect()
    };
    let mut failure = if name.contains('/') {
        format!("stat {name}: no such file or directory")
    } else {
        "executable file not found in $PATH".to_owned()
    };
    for candidate in candidates {
        let Ok(file) = resolve(root, &candidate) else { continue };
        match std::fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => return Ok(file),
            Ok(_) => failure = "permission denied".to_owned(),
            Err(_) => {}
        }
    }
    Err(format!(
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"{name}\": {failure}: unknown"
    ))
}

/// Whether image, definition and this machine are of one architecture.
fn fits(task: &Task, image: &PulledImage) -> bool {
    let docker = task.docker_architecture();
    let host = if docker == "arm64" { "aarch64" } else { "x86_64" };
    image.config.architecture().to_string() == docker && std::env::consts::ARCH == host
}
