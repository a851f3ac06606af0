//! An environment as it is deployed: what its stack's outputs say.

use super::arn;
use super::clients::Clients;
use super::experiment::{Fault, Selection, Signal};
use super::program::Program;
use super::stack::{self, Stack};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// What the commands need to know of an environment.
#[derive(Debug, Clone)]
pub(crate) struct Deployed {
    pub(crate) environment: Environment,
    stack: Stack,
    /// Task definition of the worker of one's own, where one was brought along.
    own: Option<String>,
}

impl Deployed {
    /// Looks the environment up; `None` if there is no stack of its name.
    pub(crate) async fn find(clients: &Clients, environment: &Environment) -> Result<Option<Self>> {
        let Some(stack) = stack::find(clients, &environment.stack_name()).await? else { return Ok(None) };
        if stack.outputs.is_empty() {
            return Err(Error::failed(format!(
                "The environment {environment} is not complete: its stack is in {}.",
                stack.status
            ))
            .hint(format!("`fis-workshop up{}` completes it.", environment.flag())));
        }
        Ok(Some(Self::of(environment.clone(), stack)))
    }

    /// The error that explains the others when somebody has deleted the environment, or is about to.
    pub(crate) async fn taken_down(&self, clients: &Clients) -> Result<Option<Error>> {
        let stack = stack::find(clients, &self.stack.name).await?;
        let is_there = stack.is_some_and(|stack| !stack.status.as_str().starts_with("DELETE_"));
        let environment = &self.environment;
        let error = Error::failed(format!("The environment {environment} was taken down while this command ran."))
            .hint(format!("`fis-workshop up{}` sets it up again.", environment.flag()));
        Ok((!is_there).then_some(error))
    }

    /// `error`, with what to do about it if it says that somebody has deleted `part` by hand.
    pub(crate) fn without(&self, part: &str, error: Error) -> Error {
        if error.has_code(&[
            "ResourceNotFoundException",
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
        ]) {
            error.hint(format!("The {part} is gone: {}.", self.environment.remedy()))
        } else {
            error
        }
    }

    /// Whether CloudFormation is at work on it, or has begun to delete it: then parts may be missing without a fault.
    pub(crate) fn is_on_its_way(&self) -> bool {
        self.stack.is_busy() || self.stack.status.as_str().starts_with("DELETE_")
    }

    /// The environment whose complete stack is at hand.
    pub(crate) fn of(environment: Environment, stack: Stack) -> Self {
        Self { environment, stack, own: None }
    }

    /// The same with this task definition for the worker of one's own.
    pub(crate) fn with_own(self, task_definition_arn: &str) -> Self {
        Self { own: Some(task_definition_arn.to_owned()), ..self }
    }

    /// When its stack was made; what bears its name and is older belongs to an environment that is gone.
    pub(crate) fn created_at(&self) -> Option<&str> {
        self.stack.created_at.as_deref()
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

    /// How long an item takes in seconds, unless a run overrides it.
    pub(crate) fn item_seconds(&self) -> Result<f64> {
        let text = self.stack.output("ItemSeconds")?;
        text.parse().map_err(|error| Error::failed(format!("The output ItemSeconds is {text:?}.")).cause(error))
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

    /// The experiment template for it.
    pub(crate) fn experiment_template(&self, fault: Fault) -> Result<&str> {
        self.stack.output(match (fault.signal, fault.selection) {
            (Signal::Term, Selection::All) => "ExperimentTemplateId",
            (Signal::Term, Selection::One) => "OneTaskExperimentTemplateId",
            (Signal::Kill, Selection::All) => "KillExperimentTemplateId",
            (Signal::Kill, Selection::One) => "OneTaskKillExperimentTemplateId",
        })
    }

    /// All experiment templates. Those that kill are not in every environment.
    pub(crate) fn experiment_templates(&self) -> Result<Vec<(Fault, &str)>> {
        let there = Fault::ALL.into_iter().map(|fault| (fault, self.experiment_template(fault)));
        let there = there.filter(|(fault, template)| fault.signal == Signal::Term || template.is_ok());
        there.map(|(fault, template)| Ok((fault, template?))).collect()
    }

    /// The queue with an item of the batch in each message.
    pub(crate) fn queue_url(&self) -> Result<&str> {
        self.stack.output("QueueUrl")
    }

    /// The queue of the items that no worker gets done.
    pub(crate) fn dead_letter_queue_url(&self) -> Result<&str> {
        self.stack.output("DeadLetterQueueUrl")
    }

    /// The function that restarts the watched job.
    pub(crate) fn watchdog_function(&self) -> Result<&str> {
        self.stack.output("WatchdogFunctionName")
    }

    /// The rules that call it.
    pub(crate) fn watchdog_rules(&self) -> Result<[&str; 2]> {
        Ok([self.stack.output("WatchdogEventRuleName")?, self.stack.output("WatchdogScheduleRuleName")?])
    }

    /// The log group of that function.
    pub(crate) fn watchdog_log_group(&self) -> Result<&str> {
        self.stack.output("WatchdogFunctionLogGroupName")
    }

    /// The task definition, with its revision.
    pub(crate) fn task_definition(&self, program: Program) -> Result<&str> {
        match (program, &self.own) {
            (Program::Own, Some(arn)) => Ok(arn),
            (Program::Own, None) => Err(Error::usage("There is no worker of your own to run.")
                .hint("Name its command with `--worker`, such as `--worker 'python3 job.py'`.")),
            _ => self.stack.output(&program.task_definition_output()),
        }
    }

    /// The role that a program's tasks run with.
    pub(crate) fn task_role(&self, program: Program) -> Result<&str> {
        self.stack.output(&program.task_role_output())
    }

    /// The log group.
    pub(crate) fn log_group(&self, program: Program) -> Result<&str> {
        self.stack.output(&program.log_group_output())
    }

    /// What each role is for, and its ARN.
    pub(crate) fn roles(&self) -> Result<Vec<(String, &str)>> {
        let of_task = |program: &Program| Ok((format!("task role of {program}"), self.task_role(*program)?));
        let mut roles = Program::ALL.iter().map(of_task).collect::<Result<Vec<_>>>()?;
        roles.push(("execution role".to_owned(), self.stack.output("ExecutionRoleArn")?));
        roles.push(("role of the watchdog".to_owned(), self.stack.output("WatchdogRoleArn")?));
        roles.push(("experiment role".to_owned(), self.stack.output("FisRoleArn")?));
        Ok(roles)
    }

    /// The log stream of one task: prefix, container and task id, as the awslogs driver names it.
    pub(crate) fn log_stream(&self, task_arn: &str) -> Result<String> {
        Ok(format!("{}/{}", self.stack.output("LogStreamPrefix")?, arn::task_id(task_arn)))
    }

    /// Which program a task definition (ARN, or `family:revision`) runs.
    pub(crate) fn program_of(&self, task_definition_arn: &str) -> Option<Program> {
        let wanted = arn::family(task_definition_arn);
        if wanted == self.environment.own_family() {
            return Some(Program::Own);
        }
        let runs = |program: &Program| self.task_definition(*program).is_ok_and(|arn| arn::family(arn) == wanted);
        Program::OURS.iter().copied().find(runs)
    }
}
