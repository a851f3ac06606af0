//! From a function and its image to a program, as Lambda starts it.

use super::code::docker_architecture;
use super::function::Function;
use super::log::Log;
use super::name::LATEST;
use crate::auth::Session;
use crate::ecr::pull::PulledImage;
use crate::endpoint::Endpoint;
use crate::program::image::{self, NoProgram, Replacement, Variables};
use crate::program::process::Program;

/// Why the image has no program that can be started: the type of the error, and its text.
pub(super) type Refusal = (&'static str, String);

/// What an environment tells its process.
pub(super) struct Surroundings<'a> {
    pub(super) image: &'a PulledImage,
    /// `127.0.0.1:PORT`
    pub(super) runtime_api: String,
    pub(super) session: &'a Session,
    pub(super) log: &'a Log,
}

pub(super) fn program(endpoint: &Endpoint, function: &Function, around: &Surroundings<'_>) -> Result<Program, Refusal> {
    let (image, config) = (around.image, &function.settings.image_config);
    let mut arguments = image::words(image, Replacement { entry_point: &config.entry_point, command: &config.command });
    if arguments.is_empty() {
        return Err(("Runtime.InvalidEntrypoint", "no entry point and no command specified".to_owned()));
    }
    let name = arguments.remove(0);
    let directory = image::directory(image, config.working_directory.as_deref())
        .map_err(|(directory, error)| ("Runtime.InvalidWorkingDir", format!("chdir {directory}: {error}")))?;
    let variables = variables(endpoint, function, around);
    let cannot = |why: &str| ("Runtime.InvalidEntrypoint", format!("fork/exec {name}: {why}"));
    let path = image::find(image, &directory, &name, &variables).map_err(|why| {
        cannot(match why {
            NoProgram::Missing => "no such file or directory",
            NoProgram::NotExecutable => "permission denied",
        })
    })?;
    if !image::fits(image, docker_architecture(&function.architecture)) {
        return Err(cannot("exec format error"));
    }
    Ok(Program { path, arguments, environment: variables.into_list(), directory })
}

/// The image's variables, the function's, and Lambda's own.
fn variables(endpoint: &Endpoint, function: &Function, around: &Surroundings<'_>) -> Variables {
    let mut variables = Variables::of(around.image);
    let region = &endpoint.identity.region;
    let within = |path: &str| around.image.rootfs.join(path).to_string_lossy().into_owned();
    variables.set("TZ", ":UTC");
    for (name, value) in &function.settings.variables {
        variables.set(name, value);
    }
    if !function.settings.variables.contains_key("AWS_ENDPOINT_URL") {
        variables.set("AWS_ENDPOINT_URL", &endpoint.url);
    }
    for (name, value) in [
        ("AWS_REGION", region.as_str()),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", LATEST),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.settings.memory_size.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_RUNTIME_API", &around.runtime_api),
        ("AWS_ACCESS_KEY_ID", &around.session.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &around.session.secret_access_key),
        ("AWS_SESSION_TOKEN", &around.session.session_token),
        // There is no root of its own for a process: these are where the image's files are.
        ("LAMBDA_TASK_ROOT", &within("var/task")),
        ("LAMBDA_RUNTIME_DIR", &within("var/runtime")),
    ] {
        variables.set(name, value);
    }
    if let Some((group, stream)) = &around.log.0 {
        variables.set("AWS_LAMBDA_LOG_GROUP_NAME", group);
        variables.set("AWS_LAMBDA_LOG_STREAM_NAME", stream);
    }
    variables
}
