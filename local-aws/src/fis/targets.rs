//! Target resolution, with the permissions of the experiment's role.

use std::collections::BTreeMap;

use super::catalog::STOP_TASK;
use super::experiment::{Experiment, Failure, ResolvedTask};
use super::resolve::{SelectionMode, by_arn, by_tags, passes};
use super::spec::Target;
use crate::ecs::active::{self, ActiveTask};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::quotas::STOPPED_TASKS;
use crate::store::Tx;

/// Something that AWS would let fail, or that this endpoint cannot do now (e.g. on a full disk) and will try again.
pub(super) enum TargetError {
    Failed(Failure),
    Broken(ApiError),
}

impl From<ApiError> for TargetError {
    fn from(error: ApiError) -> Self {
        Self::Broken(error)
    }
}

/// Separates what fails the experiment from what only fails this attempt.
pub(super) fn failed<T>(result: Result<T, TargetError>) -> Result<Result<T, Failure>, ApiError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(TargetError::Failed(failure)) => Ok(Err(failure)),
        Err(TargetError::Broken(error)) => Err(error),
    }
}

/// The experiment as IAM sees it: its role, in a session that bears its id.
pub(super) struct Principal<'a> {
    tx: &'a Tx<'a>,
    role_arn: &'a str,
    experiment_id: &'a str,
}

impl<'a> Principal<'a> {
    pub(super) fn of(tx: &'a Tx<'a>, experiment: &'a Experiment) -> Self {
        Self { tx, role_arn: &experiment.spec.role_arn, experiment_id: &experiment.id }
    }

    /// Refuses what the role may not do; `location` is the target or action that needs it.
    fn needs(
        &self,
        action: &str,
        resource: &str,
        cluster_arn: Option<&str>,
        location: &str,
    ) -> Result<(), TargetError> {
        let mut context = BTreeMap::from([("sts:RoleSessionName".to_owned(), self.experiment_id.to_owned())]);
        context.extend(cluster_arn.map(|arn| ("ecs:cluster".to_owned(), arn.to_owned())));
        iam::authorize(self.tx, self.role_arn, action, resource, &context).map_err(|error| refused(error, location))
    }

    /// Refuses to stop tasks that the role may not stop.
    pub(super) fn may_stop(&self, tasks: &[ResolvedTask], action: &str) -> Result<(), TargetError> {
        tasks.iter().try_for_each(|task| self.needs("ecs:StopTask", &task.arn, Some(&task.cluster_arn), action))
    }
}

/// IAM's refusal as the experiment's failure; a failure of the endpoint itself stays one.
fn refused(error: ApiError, location: &str) -> TargetError {
    if error.status >= 500 {
        return TargetError::Broken(error);
    }
    TargetError::Failed(Failure::new("UnauthorizedOperation", error.message, location))
}

/// Resolves all targets into the experiment, up to the first that fails.
pub(super) fn resolve(endpoint: &Endpoint, tx: &Tx<'_>, experiment: &mut Experiment) -> Result<(), TargetError> {
    iam::assume(endpoint, tx, &experiment.spec.role_arn, "fis.amazonaws.com", &experiment.arn)
        .map_err(|error| refused(error, "roleArn"))?;
    let tasks = active::active_tasks(tx)?;
    for (name, target) in experiment.spec.targets.clone() {
        let found = resolve_target(endpoint, &Principal::of(tx, experiment), &name, &target, &tasks)?;
        let count = found.len();
        experiment.resolved.insert(name.clone(), found);
        if count == 0 && experiment.spec.experiment_options.empty_target_resolution_mode != "skip" {
            let failure = Failure::new("InvalidTarget", "Target resolution returned empty set", &name);
            return Err(TargetError::Failed(failure));
        }
        if STOPPED_TASKS.is_reached(count.saturating_sub(1)) {
            let mut actions = experiment.spec.actions.values();
            let action = actions.find(|action| action.targets.values().any(|target| *target == name));
            let reason = format!(
                "Target resolution returned {count} tasks, more than the quota Target Tasks for {} ({}) allows",
                action.map_or(STOP_TASK, |action| &action.action_id),
                STOPPED_TASKS.value
            );
            return Err(TargetError::Failed(Failure::new("QuotaViolation", reason, &name)));
        }
    }
    Ok(())
}

/// The tasks of one target.
fn resolve_target(
    endpoint: &Endpoint,
    principal: &Principal<'_>,
    name: &str,
    target: &Target,
    tasks: &[ActiveTask],
) -> Result<Vec<ResolvedTask>, TargetError> {
    let found = if target.resource_arns.is_empty() {
        let found = by_tags(target, tasks);
        may_search(endpoint, principal, name, target, &found)?;
        found
    } else {
        by_arn(&target.resource_arns, tasks).map_err(|missing| {
            let reason = format!("Target resolution returned empty set: {missing} is not there or has stopped");
            TargetError::Failed(Failure::new("InvalidTarget", reason, name))
        })?
    };
    for task in &found {
        principal.needs("ecs:DescribeTasks", &task.arn, Some(&task.cluster_arn), name)?;
    }
    let found: Vec<ResolvedTask> = found
        .into_iter()
        .filter(|task| passes(&task.description, &target.filters))
        .map(|task| ResolvedTask { arn: task.arn.clone(), cluster_arn: task.cluster_arn.clone() })
        .collect();
    let mode = SelectionMode::parse(&target.selection_mode).unwrap_or(SelectionMode::All);
    Ok(mode.select(found))
}

/// Refuses to look for tasks as the target says, by tag and in its clusters, if the role may not.
fn may_search(
    endpoint: &Endpoint,
    principal: &Principal<'_>,
    name: &str,
    target: &Target,
    found: &[&ActiveTask],
) -> Result<(), TargetError> {
    if !target.resource_tags.is_empty() {
        principal.needs("tag:GetResources", "*", None, name)?;
    }
    let clusters: Vec<String> = match target.parameters.get("cluster") {
        Some(arn) if arn.starts_with("arn:") => vec![arn.clone()],
        Some(cluster) => vec![endpoint.arn("ecs", &format!("cluster/{cluster}"))],
        None => found.iter().map(|task| task.cluster_arn.clone()).collect(),
    };
    clusters.iter().try_for_each(|cluster| principal.needs("ecs:ListTasks", "*", Some(cluster), name))
}
