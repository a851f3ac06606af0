//! An environment as it is deployed: what its stack's outputs say.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::clients::Clients;
use super::stack::{self, Stack};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// The versions of the batch job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Variant {
    /// Starts over when it is run again
    Original,
    /// Goes on where it was interrupted
    Improved,
}

impl Variant {
    /// All of them, in the order of the chapter.
    pub(crate) const ALL: [Self; 2] = [Self::Original, Self::Improved];

    /// Its name on the command line; also the name of its program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Improved => "improved",
        }
    }

    /// Start of the names of its template parameters and outputs.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Improved => "Improved",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the commands need to know of an environment.
#[derive(Debug, Clone)]
pub(crate) struct Deployed {
    pub(crate) environment: Environment,
    stack: Stack,
}

impl Deployed {
    /// Looks the environment up.
    pub(crate) async fn find(clients: &Clients, environment: &Environment) -> Result<Self> {
        let name = environment.stack_name();
        let missing = || {
            Error::failed(format!("The environment {environment} is not set up: there is no stack {name}."))
                .hint(format!("`fis-workshop up{}` sets it up.", environment.flag()))
        };
        let stack = stack::find(clients, &name).await?.ok_or_else(missing)?;
        if stack.outputs.is_empty() {
            return Err(Error::failed(format!(
                "The environment {environment} is not complete: its stack is in {}.",
                stack.status
            ))
            .hint(format!("`fis-workshop up{}` completes it.", environment.flag())));
        }
        Ok(Self::of(environment.clone(), stack))
    }

    /// The environment whose complete stack is at hand.
    pub(crate) fn of(environment: Environment, stack: Stack) -> Self {
        Self { environment, stack }
    }

    /// Name of the cluster.
    pub(crate) fn cluster(&self) -> Result<&str> {
        self.stack.output("ClusterName")
    }

    /// Name of the table.
    pub(crate) fn table(&self) -> Result<&str> {
        self.stack.output("TableName")
    }

    /// Partition key of all items.
    pub(crate) fn batch_id(&self) -> Result<&str> {
        self.stack.output("BatchId")
    }

    /// How many items a batch has, unless a run overrides it.
    pub(crate) fn batch_size(&self) -> Result<u64> {
        let text = self.stack.output("BatchSize")?;
        text.parse().map_err(|error| Error::failed(format!("The output BatchSize is {text:?}.")).cause(error))
    }

    /// The container that does the work; others may have been injected into the task.
    pub(crate) fn container(&self) -> Result<&str> {
        self.stack.output("ContainerName")
    }

    /// The private subnets to run tasks in.
    pub(crate) fn subnets(&self) -> Result<Vec<String>> {
        Ok(self.stack.output("SubnetIds")?.split(',').map(str::to_owned).collect())
    }

    /// The security group of the tasks.
    pub(crate) fn security_group(&self) -> Result<&str> {
        self.stack.output("SecurityGroupId")
    }

    /// The experiment template.
    pub(crate) fn experiment_template(&self) -> Result<&str> {
        self.stack.output("ExperimentTemplateId")
    }

    /// The task definition, with its revision.
    pub(crate) fn task_definition(&self, variant: Variant) -> Result<&str> {
        self.stack.output(&format!("{}TaskDefinitionArn", variant.key()))
    }

    /// The log group.
    pub(crate) fn log_group(&self, variant: Variant) -> Result<&str> {
        self.stack.output(&format!("{}LogGroupName", variant.key()))
    }

    /// The log stream of one task: prefix, container and task id, as the awslogs driver names it.
    pub(crate) fn log_stream(&self, task_arn: &str) -> Result<String> {
        Ok(format!("{}/{}", self.stack.output("LogStreamPrefix")?, super::tasks::task_id(task_arn)))
    }

    /// Which variant a task definition (ARN, or `family:revision`) belongs to.
    pub(crate) fn variant_of(&self, task_definition_arn: &str) -> Option<Variant> {
        let family = |arn: &str| arn.rsplit('/').next().and_then(|name| name.split(':').next()).map(str::to_owned);
        let wanted = family(task_definition_arn);
        Variant::ALL.into_iter().find(|variant| self.task_definition(*variant).ok().and_then(family) == wanted)
    }
}
