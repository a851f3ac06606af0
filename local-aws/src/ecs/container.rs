//! From an image and a container definition to a program, in the words of runc where that fails.

use super::container_endpoint;
use super::task::Task;
use crate::ecr::pull::PulledImage;
use crate::endpoint::Endpoint;
use crate::program::image::{self, NoProgram, Replacement, Variables};
use crate::program::process::Program;

/// The program of `task`; the text of the failure when the image has none that can be started.
pub(super) fn program(endpoint: &Endpoint, task: &Task, image: &PulledImage) -> Result<Program, String> {
    let variables = variables(endpoint, task, image);
    let mut arguments = image::words(image, replacement(task));
    if arguments.is_empty() {
        return Err("CannotCreateContainerError: no command specified".to_owned());
    }
    let name = arguments.remove(0);
    let directory = image::directory(image, task.container.working_directory.as_deref())
        .map_err(|(name, error)| format!("CannotCreateContainerError: working directory '{name}': {error}"))?;
    let path = image::find(image, &directory, &name, &variables).map_err(|why| cannot_start(&name, why))?;
    let environment = variables.into_list();
    if !image::fits(image, task.docker_architecture()) {
        // The kernel's words for a program of another machine, where runc puts them.
        let script = r#"echo "exec $0: exec format error" >&2; exit 255"#;
        let arguments = ["-c", script, &name].map(str::to_owned).to_vec();
        return Ok(Program { path: "/bin/sh".into(), arguments, environment, directory });
    }
    Ok(Program { path, arguments, environment, directory })
}

/// What the program is called among the processes of the task.
pub(super) fn process_name(task: &Task, image: &PulledImage) -> Option<String> {
    let words = image::words(image, replacement(task));
    words.first().and_then(|path| path.rsplit('/').next()).map(str::to_owned)
}

fn replacement(task: &Task) -> Replacement<'_> {
    let definition = &task.container;
    let overridden = task.container_override().map(|one| one.command.as_slice()).filter(|words| !words.is_empty());
    Replacement { entry_point: &definition.entry_point, command: overridden.unwrap_or(&definition.command) }
}

/// The image's variables, then ours, the definition's and the overrides'.
fn variables(endpoint: &Endpoint, task: &Task, image: &PulledImage) -> Variables {
    let region = &endpoint.identity.region;
    let mut variables = Variables::of(image);
    variables.set("AWS_REGION", region);
    variables.set("AWS_DEFAULT_REGION", region);
    variables.set("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE");
    variables.set("AWS_ENDPOINT_URL", &endpoint.url);
    for (name, value) in container_endpoint::variables(endpoint, task) {
        variables.set(name, &value);
    }
    let overridden = task.container_override().map_or(&[][..], |one| &one.environment);
    for variable in task.container.environment.iter().chain(overridden) {
        variables.set(&variable.name, &variable.value);
    }
    variables
}

fn cannot_start(name: &str, why: NoProgram) -> String {
    let failure = match why {
        NoProgram::NotExecutable => "permission denied".to_owned(),
        NoProgram::Missing if name.contains('/') => format!("stat {name}: no such file or directory"),
        NoProgram::Missing => "executable file not found in $PATH".to_owned(),
    };
    format!(
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"{name}\": {failure}: unknown"
    )
}
