//! A worker of one's own as the program of an environment's tasks: a command of this machine, or an image.
//!
//! ECS runs images only. So for a command there is one image, with nothing in it but a script that goes to a directory of
//! this machine and becomes the command; the task definition has both as the words of its container. All else in that
//! definition is the improved worker's: size, network, variables, the way of its log.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_sdk_ecs::types::{
    ContainerDefinition, CpuArchitecture, KeyValuePair, Tag, TaskDefinition, TaskDefinitionField,
};
use fis_workshop_images::Architecture;
use fis_workshop_images::pack::{Platform, pack_script};
use is_executable::is_executable;

use super::clients::Clients;
use super::deployed::Deployed;
use super::images::{self, ImageUri, RepositoryUri, ecr, embedded};
use super::program::Program;
use crate::environment::{ENVIRONMENT_TAG, Environment};
use crate::error::{Doing, Error, Result};

/// The script of the image: `$1` is the directory, the rest is the command. There is no shell left beside it that signals
/// would not get past.
const SCRIPT: &str = "#!/bin/sh\ncd -- \"$1\" || exit 126\nshift\nexec \"$@\"\n";

/// Name of the script, and of the image: the process that `interrupt --signal kill` kills is called so.
const SCRIPT_NAME: &str = "worker";

/// A worker that somebody brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Worker {
    /// A command of this machine.
    Command(Command),
    /// An image that tasks can pull.
    Image(ImageUri),
}

/// What is started on this machine, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// The program, by name or path, and its arguments.
    pub(crate) words: Vec<String>,
    pub(crate) directory: PathBuf,
    /// What it gets beside the variables of a task: where its programs and modules are.
    pub(crate) variables: Vec<(String, String)>,
}

/// Registers a task definition that runs `worker`, and hands out the environment that has it: tasks of [`Program::Own`] run
/// it from then on. `warn` gets what could not be checked.
///
/// # Errors
/// When the image is not there, or AWS refuses.
pub(crate) async fn install(
    clients: &Clients,
    deployed: Deployed,
    worker: &Worker,
    warn: impl FnMut(&str),
) -> Result<Deployed> {
    let (mut definition, tags) = model(clients, &deployed).await?;
    let mut container = container(&mut definition, &deployed)?;
    match worker {
        Worker::Command(command) => {
            container.image = Some(script_image(clients, &container).await?);
            command.put_into(&mut container)?;
        }
        Worker::Image(uri) => container.image = Some(pinned(clients, &definition, &container, uri, warn).await?),
    }
    route_log(&mut container, deployed.log_group(Program::Own)?);
    let request = clients
        .ecs
        .register_task_definition()
        .family(deployed.environment.own_family())
        .container_definitions(container)
        .set_execution_role_arn(definition.execution_role_arn)
        .task_role_arn(deployed.task_role(Program::Own)?)
        .set_network_mode(definition.network_mode)
        .set_requires_compatibilities(definition.requires_compatibilities)
        .set_cpu(definition.cpu)
        .set_memory(definition.memory)
        .set_runtime_platform(definition.runtime_platform)
        .set_tags(Some(tags));
    let answer = request.send().await.doing("Registering the task definition of your worker")?;
    let arn = answer.task_definition().and_then(TaskDefinition::task_definition_arn);
    let arn = arn.ok_or_else(|| Error::failed("ECS does not say what it calls the task definition of your worker."))?;
    Ok(deployed.with_own(arn))
}

/// What the improved worker's task definition says, and its tags: FIS finds tasks by one of them, `down` by another.
async fn model(clients: &Clients, deployed: &Deployed) -> Result<(TaskDefinition, Vec<Tag>)> {
    let arn = deployed.task_definition(Program::Improved)?;
    let request = clients.ecs.describe_task_definition().task_definition(arn).include(TaskDefinitionField::Tags);
    let answer = request.send().await.doing("Describing the task definition of improved");
    let answer = answer.map_err(|error| error.hint(format!("If it is gone: {}.", deployed.environment.remedy())))?;
    // What AWS puts on itself nobody else may.
    let others = |tag: &&Tag| tag.key().is_some_and(|key| !key.starts_with("aws:") && key != ENVIRONMENT_TAG);
    let tags = answer.tags().iter().filter(others).cloned().chain([tag(&deployed.environment)]).collect();
    let definition = answer.task_definition.ok_or_else(|| Error::failed(format!("ECS does not describe {arn}.")))?;
    Ok((definition, tags))
}

/// Takes the container out that does the work.
fn container(definition: &mut TaskDefinition, deployed: &Deployed) -> Result<ContainerDefinition> {
    let name = deployed.container()?;
    let containers = definition.container_definitions.take().unwrap_or_default();
    containers.into_iter().find(|container| container.name() == Some(name)).ok_or_else(|| {
        Error::failed(format!("The task definition of improved has no container {name}."))
            .hint(format!("{}.", deployed.environment.remedy()))
    })
}

fn route_log(container: &mut ContainerDefinition, group: &str) {
    let options = container.log_configuration.as_mut().and_then(|log| log.options.as_mut());
    options.into_iter().for_each(|options| {
        options.insert("awslogs-group".to_owned(), group.to_owned());
    });
}

/// Pushes the image with the script to where the improved worker's is, unless it is there; its URI.
async fn script_image(clients: &Clients, container: &ContainerDefinition) -> Result<String> {
    let platform = Platform { architecture: embedded::architecture().oci(), os: embedded::OS };
    let image = pack_script(SCRIPT_NAME, SCRIPT, &platform)
        .map_err(|error| Error::failed("The image for your worker cannot be packed.").cause(error))?;
    let repository = repository(container);
    let uri = format!("{repository}@{}", image.manifest.digest);
    let registry = ecr::registry(clients, &RepositoryUri::answered(repository)?).await?;
    images::push(&registry, &BTreeMap::from([(Program::Own, image)]), |_| ()).await?;
    Ok(uri)
}

/// The repository of the container's image: its URI without tag and digest.
fn repository(container: &ContainerDefinition) -> &str {
    let image = container.image().unwrap_or_default();
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    let name = image.rfind('/').map_or(0, |slash| slash + 1);
    image[name..].find(':').map_or(image, |colon| &image[..name + colon])
}

/// The image with its digest, once it is certain that tasks of the environment can run it.
async fn pinned(
    clients: &Clients,
    definition: &TaskDefinition,
    container: &ContainerDefinition,
    uri: &ImageUri,
    mut warn: impl FnMut(&str),
) -> Result<String> {
    let allowed = RepositoryUri::answered(repository(container))?;
    if uri.repository.ecr().is_some() && uri.repository != allowed {
        return Err(Error::usage(format!("Tasks of this environment cannot pull {uri}."))
            .cause(format!("their execution role may pull from one repository of ECR only, {allowed}"))
            .hint(format!("Push the image there, as {allowed}:TAG.")));
    }
    let platform = definition.runtime_platform().and_then(|platform| platform.cpu_architecture());
    let architecture =
        if platform == Some(&CpuArchitecture::Arm64) { Architecture::Arm64 } else { Architecture::X86_64 };
    let uris = BTreeMap::from([(Program::Own, uri.clone())]);
    let mut ready = images::check(clients, &uris, Some(architecture)).await?;
    ready.warnings.iter().for_each(|warning| warn(warning));
    ready.uris.remove(&Program::Own).ok_or_else(|| images::not_found(uri))
}

impl Command {
    /// Of `words` in the current directory, with the programs and the home of who calls it.
    ///
    /// # Errors
    /// When there is no such program, or the directory has a name that AWS's documents cannot hold.
    pub(crate) fn here(words: Vec<String>) -> Result<Self> {
        let directory = std::env::current_dir()
            .map_err(|error| Error::usage("The current directory does not exist any more.").cause(error))?;
        if directory.to_str().is_none() {
            return Err(Error::usage(format!("The name of the directory {} is no text.", directory.display()))
                .hint("Start your worker in another one."));
        }
        let variable = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), value));
        let variables = ["PATH", "HOME"].into_iter().filter_map(variable).collect();
        let command = Self { words, directory, variables };
        command.check()?;
        Ok(command)
    }

    /// That it can be started at all is seen before a task is made for it.
    fn check(&self) -> Result<()> {
        let Some(program) = self.words.first().filter(|program| !program.is_empty()) else {
            return Err(Error::usage("The command of your worker is empty.")
                .hint("Name a program and its arguments, such as `python3 job.py`."));
        };
        let (path, cause) = if program.contains('/') {
            (Some(self.directory.join(program)), "no such file that can be executed")
        } else {
            (self.on_path(program), "it is on no directory of PATH")
        };
        if path.is_some_and(is_executable) {
            return Ok(());
        }
        let error = Error::usage(format!("Your worker cannot be started: there is no program {program}.")).cause(cause);
        Err(match self.directory.join(program).is_file() {
            true => {
                error.hint(format!("Start it by its interpreter, such as `python3 {program}`, or make it executable."))
            }
            false => {
                error.hint("The command is run from the current directory; name the program as you would type it here.")
            }
        })
    }

    fn on_path(&self, program: &str) -> Option<PathBuf> {
        let path = &self.variables.iter().find(|(name, _)| name == "PATH")?.1;
        let mut candidates = std::env::split_paths(path).map(|entry| self.directory.join(entry).join(program));
        candidates.find(|candidate| is_executable(candidate))
    }

    /// The words of the container, and its variables. The person's own settings of AWS stay out of sight: some SDKs look
    /// there before they ask for the task's credentials.
    fn put_into(&self, container: &mut ContainerDefinition) -> Result<()> {
        let directory =
            self.directory.to_str().ok_or_else(|| Error::usage("The current directory's name is no text."))?;
        container.command = Some([directory.to_owned()].into_iter().chain(self.words.iter().cloned()).collect());
        let nothing = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| (name, "/dev/null"));
        let own = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables = own.chain(nothing).map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
        container.environment.get_or_insert_default().extend(variables);
        Ok(())
    }
}

/// Deregisters whatever [`install`] has registered in the environment. What only has the name is left alone.
///
/// # Errors
/// When ECS refuses.
pub(crate) async fn remove(clients: &Clients, environment: &Environment) -> Result<()> {
    let family = environment.own_family();
    let pages = clients.ecs.list_task_definitions().family_prefix(&family).into_paginator().items().send();
    let arns = pages.collect::<std::result::Result<Vec<_>, _>>().await;
    for arn in arns.doing(format_args!("Listing the task definitions {family}"))? {
        let request = clients.ecs.describe_task_definition().task_definition(&arn).include(TaskDefinitionField::Tags);
        let answer = request.send().await.doing(format_args!("Describing the task definition {arn}"))?;
        if answer.tags().contains(&tag(environment)) {
            let request = clients.ecs.deregister_task_definition().task_definition(&arn);
            request.send().await.doing(format_args!("Deregistering the task definition {arn}"))?;
        }
    }
    Ok(())
}

/// Says whose it is.
fn tag(environment: &Environment) -> Tag {
    Tag::builder().key(ENVIRONMENT_TAG).value(environment.to_string()).build()
}
