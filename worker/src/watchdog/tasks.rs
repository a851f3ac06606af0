//! The job's tasks: what ECS shows of them, and how the next one is started.

use aws_sdk_ecs::{
    operation::run_task::RunTaskError,
    types::{
        AssignPublicIp, AwsVpcConfiguration, DesiredStatus, LaunchType, NetworkConfiguration, PropagateTags,
        Task as EcsTask, TaskOverride,
    },
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Ended, Mark, Seen, Watchdog, call::News, settings::Batch};
use crate::{Failure, log, settings::batch_size};

/// As many tasks as DescribeTasks takes.
const CHUNK: usize = 100;

/// A task of the family.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) arn: String,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) is_stopped: bool,
    pub(super) overrides: Option<TaskOverride>,
    stopped_at: Option<DateTime<Utc>>,
    exit_code: Option<i32>,
    mark: Option<Mark>,
    version: i64,
}

impl Watchdog {
    /// The family's tasks that ECS still shows, also those that its lists do not show yet but the call tells of.
    pub(super) async fn tasks(&self, call: &Call) -> Result<Vec<Task>, Failure> {
        let news = call.news(&self.settings.cluster, self.settings.family());
        let mut arns = self.list(DesiredStatus::Running).await?;
        arns.extend(self.list(DesiredStatus::Stopped).await?);
        arns.extend(news.map(|news| news.task_arn.clone()));
        arns.sort_unstable();
        arns.dedup();
        let mut tasks = Vec::new();
        for arns in arns.chunks(CHUNK) {
            let request = self.ecs.describe_tasks().cluster(&self.settings.cluster);
            let answer = request.set_tasks(Some(arns.to_vec())).send().await;
            let answer = answer.map_err(|e| Failure::request(&e, self.doing("describing the tasks")))?;
            // A task that is missing in the answer was started a moment ago or forgotten a moment ago. The token sees to
            // the first, and there is nothing to be done about the second.
            tasks.extend(answer.tasks().iter().filter_map(|task| self.task(task, news)));
        }
        Ok(tasks)
    }

    async fn list(&self, status: DesiredStatus) -> Result<Vec<String>, Failure> {
        let request = self.ecs.list_tasks().cluster(&self.settings.cluster).family(self.settings.family());
        let pages = request.desired_status(status).into_paginator().items().send();
        let arns = pages.collect::<Result<_, _>>().await;
        arns.map_err(|e| Failure::request(&e, self.doing("listing the tasks")))
    }

    fn task(&self, task: &EcsTask, news: Option<&News>) -> Option<Task> {
        let container = task.containers().iter().find(|c| c.name() == Some(&self.settings.container));
        let mut known = Task {
            arn: task.task_arn()?.to_owned(),
            // A task that stopped before it was pending was never created in this sense.
            created_at: time(task.created_at().or(task.stopping_at()).or(task.stopped_at())),
            is_stopped: task.last_status() == Some("STOPPED"),
            overrides: task.overrides().cloned().map(|overrides| self.repeatable(overrides)),
            stopped_at: time(task.stopped_at()),
            exit_code: container.and_then(|container| container.exit_code()),
            mark: task.started_by().and_then(|text| text.parse().ok()),
            version: task.version(),
        };
        if let Some(news) = news.filter(|news| news.task_arn == known.arn && news.version > known.version) {
            let container = news.containers.iter().find(|c| c.name == self.settings.container);
            known.is_stopped = true;
            known.stopped_at = news.stopped_at;
            known.exit_code = container.and_then(|container| container.exit_code);
        }
        Some(known)
    }

    /// The overrides as RunTask takes them: what ECS shows has more in it, such as the containers of sidecars.
    fn repeatable(&self, mut overrides: TaskOverride) -> TaskOverride {
        overrides.inference_accelerator_overrides = None;
        if let Some(containers) = &mut overrides.container_overrides {
            containers.retain(|container| container.name() == Some(&self.settings.container));
        }
        overrides
    }

    /// The batch that a task works on: as it was told, or as all are.
    pub(super) fn batch_of(&self, task: &Task) -> Batch {
        let all = task.overrides.as_ref().map(TaskOverride::container_overrides).unwrap_or_default();
        let own = all.iter().find(|container| container.name() == Some(&self.settings.container));
        let value = |name: &str| {
            let variables = own.map(|container| container.environment()).unwrap_or_default();
            variables.iter().find(|variable| variable.name() == Some(name))?.value()
        };
        let Batch { id, size } = &self.settings.batch;
        Batch {
            id: value("BATCH_ID").unwrap_or(id).to_owned(),
            // With a size that is none, the job ends before its first item, and so do its restarts.
            size: value("BATCH_SIZE").and_then(batch_size).unwrap_or(*size),
        }
    }

    /// Starts the task that goes on after the one that has stopped, with the same overrides, unless that has been done.
    pub async fn restart(&self, seen: &Seen, mark: &Mark) -> Result<(), Failure> {
        let Some(stopped) = &seen.last else { return Ok(()) };
        let doing = || self.doing(&format!("starting a task after {}, one of the tasks", stopped.task));
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.settings.subnets.clone()))
            .set_security_groups(Some(self.settings.security_groups.clone()))
            .assign_public_ip(AssignPublicIp::Disabled)
            .build()
            .map_err(|error| Failure::Request { cause: error.to_string(), doing: doing() })?;
        let answer = self
            .ecs
            .run_task()
            .cluster(&self.settings.cluster)
            .task_definition(&self.settings.task_definition)
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            // Without its definition's tags, the next experiment would not find the task.
            .propagate_tags(PropagateTags::TaskDefinition)
            .set_overrides(seen.overrides.clone())
            .started_by(mark.to_string())
            .client_token(format!("watchdog-{}", stopped.task))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            // Another invocation has been faster, and has seen another item as the next.
            Err(error) if matches!(error.as_service_error(), Some(RunTaskError::ConflictException(_))) => {
                return log::line(format_args!("Another task goes on already after task {}", stopped.task));
            }
            Err(error) => return Err(Failure::request(&error, doing())),
        };
        match (answer.tasks().first().and_then(EcsTask::task_arn), answer.failures().first()) {
            (Some(arn), _) => log::line(format_args!("Task {} goes on after task {}", id(arn), stopped.task)),
            (None, Some(failure)) => Err(Failure::Request {
                cause: [failure.reason(), failure.detail()].into_iter().flatten().collect::<Vec<_>>().join(": "),
                doing: doing(),
            }),
            (None, None) => Err(Failure::Request { cause: "ECS started no task".to_owned(), doing: doing() }),
        }
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} of family {} in cluster {}", self.settings.family(), self.settings.cluster)
    }
}

impl Task {
    pub(super) fn id(&self) -> &str {
        id(&self.arn)
    }

    /// What counts of a task that has stopped.
    pub(super) fn ended(self) -> Ended {
        Ended {
            task: self.id().to_owned(),
            exit_code: self.exit_code,
            at: self.stopped_at.or(self.created_at).unwrap_or_default(),
            mark: self.mark,
        }
    }
}

fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn time(time: Option<&aws_sdk_ecs::primitives::DateTime>) -> Option<DateTime<Utc>> {
    let time = time?;
    Some(DateTime::from_timestamp(time.secs(), 0)? + TimeDelta::nanoseconds(time.subsec_nanos().into()))
}
