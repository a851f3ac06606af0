//! RunTask: one task, in a private subnet, with the tags of its definition.

use std::time::Duration;

use aws_sdk_ecs::operation::run_task::RunTaskError;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, Failure, KeyValuePair, LaunchType, NetworkConfiguration,
    PropagateTags, TaskOverride,
};

use super::{Task, get};
use crate::aws::clients::{Clients, token};
use crate::aws::deployed::Deployed;
use crate::aws::patience::Patience;
use crate::aws::program::Program;
use crate::error::{Doing, Error, Result};

/// `startedBy` of the tasks that we start.
const STARTED_BY: &str = "fis-workshop";

/// How long to try again when Fargate has no capacity: it often comes back within a minute or two.
const CAPACITY_LIMIT: Duration = Duration::from_secs(180);

/// What a run overrides in its task definition.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Overrides {
    /// Seconds for each item.
    pub(crate) item_seconds: Option<f64>,
    /// Items of the batch.
    pub(crate) batch_size: Option<u64>,
}

/// Runs one task, with the tags of its definition, in a private subnet. While Fargate has no capacity it is tried again,
/// for a limited time; `on_wait` gets AWS's reason each time.
///
/// # Errors
/// When ECS refuses, or has no capacity for too long.
pub(crate) async fn run(
    clients: &Clients,
    deployed: &Deployed,
    program: Program,
    overrides: Overrides,
    mut on_wait: impl FnMut(&str),
) -> Result<Task> {
    let doing = format!("Running a task of {program}");
    let mut patience = Patience::new(clients, CAPACITY_LIMIT);
    let mut for_roles = Patience::for_visibility(clients);
    loop {
        match attempt(clients, deployed, program, overrides, &doing).await {
            Ok(Ok(task)) => return Ok(task),
            // IAM tells the rest of AWS of a new role some seconds after CloudFormation says that it is complete.
            Err(error) if error.aws_message().contains("unable to assume the role") && for_roles.wait().await => {
                on_wait(error.aws_message());
            }
            Err(error) => return Err(error),
            Ok(Err(refusal)) => {
                if !refusal.is_temporary() {
                    return Err(refusal.error(&doing, deployed));
                }
                on_wait(&refusal.reason);
                if !patience.wait().await {
                    return Err(refusal.error(&doing, deployed));
                }
            }
        }
    }
}

/// RunTask answers 200 although it has started nothing: this is the reason then.
#[derive(Debug)]
struct Refusal {
    reason: String,
    detail: Option<String>,
}

impl Refusal {
    fn of(failure: Option<&Failure>) -> Self {
        let reason = failure.and_then(Failure::reason).unwrap_or("ECS names no reason").to_owned();
        Self { reason, detail: failure.and_then(Failure::detail).map(str::to_owned) }
    }

    /// Another attempt may succeed. The reasons are listed in the ECS developer guide, "API failure reasons".
    fn is_temporary(&self) -> bool {
        self.reason.contains("Capacity is unavailable") || self.reason.starts_with("RESOURCE:")
    }

    fn error(&self, doing: &str, deployed: &Deployed) -> Error {
        let cause = match &self.detail {
            Some(detail) => format!("{}: {detail}", self.reason),
            None => self.reason.clone(),
        };
        let hint = if self.is_temporary() {
            Some("AWS has no room for a Fargate task at the moment; repeat the command in some minutes, or choose another region.".to_owned())
        } else {
            remedy(&self.reason, deployed)
        };
        let error = Error::failed(format!("{doing} failed.")).cause(cause);
        hint.into_iter().fold(error, Error::hint)
    }
}

/// What to do about a refusal, by AWS's words. They come as a failure in the answer or as an error, depending on when
/// ECS notices.
fn remedy(reason: &str, deployed: &Deployed) -> Option<String> {
    let reason = reason.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| reason.contains(text));
    let up = format!("`fis-workshop up{}`", deployed.environment.flag());
    if has(&["limit on the number of"]) {
        return Some(
            "Fargate's quota for this region is used up (\"Fargate On-Demand vCPU resource count\", L-3032A538): wait until \
             other tasks have ended, or raise it in Service Quotas."
                .to_owned(),
        );
    }
    if has(&["service linked role", "service-linked role"]) {
        return Some(format!(
            "{up} creates the role AWSServiceRoleForECS, and so does `aws iam create-service-linked-role \
             --aws-service-name ecs.amazonaws.com`."
        ));
    }
    if has(&["iam:passrole"]) {
        return Some(
            "Whoever runs a task hands it its roles: `iam:PassRole` is needed for both the task role and the execution role."
                .to_owned(),
        );
    }
    if has(&["subnet", "security group", "securitygroup"]) {
        return Some(format!("The network of this environment has changed or is gone; {up} connects it again."));
    }
    if has(&["inactive", "taskdefinition", "task definition", "cluster"]) {
        let flag = deployed.environment.flag();
        return Some(format!("Something of this environment was removed by hand; `fis-workshop up{flag}` repairs it."));
    }
    None
}

/// One RunTask. It has a token of its own: the SDK's retries, which repeat the same request, cannot start a second task;
/// but a token that has been answered gives the same answer again for a day, also when that was "no capacity".
async fn attempt(
    clients: &Clients,
    deployed: &Deployed,
    program: Program,
    overrides: Overrides,
    doing: &str,
) -> Result<std::result::Result<Task, Refusal>> {
    let network = AwsVpcConfiguration::builder()
        .set_subnets(Some(deployed.subnets()?))
        .security_groups(deployed.security_group()?)
        .assign_public_ip(AssignPublicIp::Disabled)
        .build()
        .map_err(|error| Error::failed("The environment has no subnet to run tasks in.").cause(error))?;
    let answer = clients
        .ecs
        .run_task()
        .cluster(deployed.cluster()?)
        .task_definition(deployed.task_definition(program)?)
        .launch_type(LaunchType::Fargate)
        .count(1)
        .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
        // Without it the task has none of its definition's tags, and the experiment finds no target.
        .propagate_tags(PropagateTags::TaskDefinition)
        .set_overrides(task_override(deployed.container()?, overrides))
        .started_by(STARTED_BY)
        .client_token(token())
        .send()
        .await;
    // The token has started a task already: that is the one.
    if let Some(RunTaskError::ConflictException(conflict)) =
        answer.as_ref().err().and_then(|error| error.as_service_error())
        && let Some(arn) = conflict.resource_ids().first()
    {
        return get(clients, deployed, arn).await.map(Ok);
    }
    let answer = answer.doing(doing).map_err(|error| {
        let hint = remedy(error.aws_message(), deployed);
        hint.into_iter().fold(error, Error::hint)
    })?;
    Ok(match answer.tasks().first() {
        Some(task) => Ok(Task::of(task, Some(deployed.container()?))),
        None => Err(Refusal::of(answer.failures().first())),
    })
}

fn task_override(container: &str, overrides: Overrides) -> Option<TaskOverride> {
    let variable = |name: &str, value: String| KeyValuePair::builder().name(name).value(value).build();
    let seconds = overrides.item_seconds.map(|seconds| variable("ITEM_SECONDS", seconds.to_string()));
    let size = overrides.batch_size.map(|size| variable(super::BATCH_SIZE, size.to_string()));
    let environment: Vec<_> = seconds.into_iter().chain(size).collect();
    if environment.is_empty() {
        return None;
    }
    let container = ContainerOverride::builder().name(container).set_environment(Some(environment)).build();
    Some(TaskOverride::builder().container_overrides(container).build())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::aws::scripted::{Script, deployed, task};

    const NO_CAPACITY: &str =
        "Capacity is unavailable at this time. Please try again later or in a different availability zone";

    fn failures(reason: &str) -> Value {
        json!({"tasks": [], "failures": [{"reason": reason}]})
    }

    async fn run_original(script: &Script, waits: &mut usize) -> Result<Task> {
        run(&script.clients(), &deployed(), Program::Original, Overrides::default(), |_| *waits += 1).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_role_that_is_too_new_is_waited_for() {
        let message =
            "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/r' that was provided for this task.";
        let script = Script::default()
            .refusal("RunTask", 400, "ClientException", message)
            .answer("RunTask", json!({"tasks": [task("1", "PROVISIONING")]}));
        let mut waits = 0;
        run_original(&script, &mut waits).await.unwrap();
        assert_eq!((script.requests("RunTask").len(), waits), (2, 1));
        let script = Script::default().refusal("RunTask", 400, "ClientException", message);
        let error = run_original(&script, &mut waits).await.unwrap_err();
        assert!(error.to_string().contains("unable to assume"), "{error}");
    }

    #[test]
    fn only_what_is_overridden_is_sent() {
        assert!(task_override("BatchJob", Overrides::default()).is_none());
        let overrides = task_override("BatchJob", Overrides { item_seconds: Some(0.5), batch_size: None }).unwrap();
        let container = &overrides.container_overrides()[0];
        let sent: Vec<_> =
            container.environment().iter().map(|pair| (pair.name().unwrap(), pair.value().unwrap())).collect();
        assert_eq!((container.name(), sent), (Some("BatchJob"), vec![("ITEM_SECONDS", "0.5")]));
    }

    #[tokio::test(start_paused = true)]
    async fn capacity_is_waited_for_with_a_new_token_for_each_answered_request() {
        let script = Script::default()
            .answer("RunTask", failures(NO_CAPACITY))
            .answer("RunTask", failures("RESOURCE:ENI"))
            .answer("RunTask", json!({"tasks": [task("0f", "PROVISIONING")]}));
        let mut waits = 0;
        let task = run_original(&script, &mut waits).await.unwrap();
        assert_eq!((task.last_status.as_str(), waits), ("PROVISIONING", 2));
        let requests = script.requests("RunTask");
        let tokens: BTreeSet<_> = requests.iter().map(|request| request["clientToken"].to_string()).collect();
        assert_eq!((requests.len(), tokens.len()), (3, 3));
        assert_eq!(requests[0]["propagateTags"], "TASK_DEFINITION");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_lack_of_capacity_is_an_error_after_three_minutes() {
        let script = Script::default().answer("RunTask", failures(NO_CAPACITY));
        let begin = tokio::time::Instant::now();
        let error = run_original(&script, &mut 0).await.unwrap_err();
        assert!((180..190).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
        assert_eq!(error.aws_message(), NO_CAPACITY);
        assert!(error.report(crate::target::Target::Aws).contains("no room for a Fargate task"));
    }

    #[tokio::test(start_paused = true)]
    async fn another_reason_fails_at_once_with_its_remedy() {
        let cases = [
            ("You've reached the limit on the number of vCPUs you can run concurrently", "L-3032A538"),
            ("INACTIVE", "`fis-workshop up` repairs it"),
        ];
        for (reason, hint) in cases {
            let script = Script::default().answer("RunTask", failures(reason));
            let error = run_original(&script, &mut 0).await.unwrap_err();
            assert!(error.report(crate::target::Target::Aws).contains(hint), "{error}");
            assert_eq!(script.requests("RunTask").len(), 1);
        }
        let script = Script::default().refusal(
            "RunTask",
            400,
            "InvalidParameterException",
            "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist",
        );
        let error = run_original(&script, &mut 0).await.unwrap_err();
        assert!(error.report(crate::target::Target::Aws).contains("`fis-workshop up` connects it again"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_and_server_errors_are_repeated_with_the_same_token() {
        let script = Script::default()
            .refusal("RunTask", 400, "ThrottlingException", "Rate exceeded")
            .refusal("RunTask", 500, "ServerException", "Service Unavailable. Please try again later.")
            .answer("RunTask", json!({"tasks": [task("0f", "PROVISIONING")]}));
        run_original(&script, &mut 0).await.unwrap();
        let requests = script.requests("RunTask");
        let tokens: BTreeSet<_> = requests.iter().map(|request| request["clientToken"].to_string()).collect();
        assert_eq!((requests.len(), tokens.len()), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_leads_to_the_task_that_the_token_has_started() {
        let arn = task("0f", "PENDING")["taskArn"].clone();
        let conflict = json!({"__type": "ConflictException", "message": "in use", "resourceIds": [arn]});
        let script = Script::default()
            .answers("RunTask", 400, conflict.to_string())
            .answer("DescribeTasks", json!({"tasks": [task("0f", "PENDING")]}));
        assert_eq!(run_original(&script, &mut 0).await.unwrap().task_arn, arn);
    }
}
