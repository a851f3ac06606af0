//! What an experiment does next. Everything is read from its record and written to it, in one transaction a step:
//! whoever drives it may be killed at any moment, and another one goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::catalog::{STOP_TASK, WAIT};
use super::experiment::{ActionStatus, ActionsMode, Active, Experiment, Failure, Progress, ResolvedTask, Status};
use super::resolve::{SelectionMode, by_arn, by_tags, passes};
use super::template::Target;
use super::{duration, safety_lever};
use crate::ecs::{self, ActiveTask};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::Tx;

/// Quota "Target Tasks for aws:ecs:stop-task".
const MAX_TASKS: usize = 5;

/// How long after a failure of the endpoint itself (e.g. a full disk) a step is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Goes on with every experiment that an earlier endpoint left unfinished.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    for active in endpoint.store.read(|tx| tx.list::<Active>())? {
        tokio::spawn(drive(endpoint.clone(), active.experiment_id, true));
    }
    Ok(())
}

/// Does what is next for the experiment, now and until it has ended.
pub(super) fn spawn(endpoint: &Arc<Endpoint>, id: &str) {
    tokio::spawn(drive(endpoint.clone(), id.to_owned(), false));
}

/// What a step leaves to do outside of its transaction.
enum Work {
    /// StopTask for the tasks of these actions.
    StopTasks(Vec<(String, Vec<String>)>),
    /// Nothing before this time, when a wait ends.
    Until(DateTime<Utc>),
    /// Nothing; the experiment has ended, or another driver is on it.
    Nothing,
}

async fn drive(endpoint: Arc<Endpoint>, id: String, mut resumed: bool) {
    loop {
        let pause = match advance(&endpoint, &id, &mut resumed) {
            Ok(None) => return,
            Ok(Some(time)) => (time - Utc::now()).to_std().unwrap_or_default(),
            Err(error) => {
                tracing::error!(experiment = id, %error, "step failed; trying again");
                RETRY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Steps until there is nothing to do before the returned time, or at all.
fn advance(endpoint: &Arc<Endpoint>, id: &str, resumed: &mut bool) -> Result<Option<DateTime<Utc>>, ApiError> {
    loop {
        let work = endpoint.store.write(|tx| step(endpoint, tx, id, *resumed))?;
        *resumed = false;
        match work {
            Work::Nothing => return Ok(None),
            Work::Until(time) => return Ok(Some(time)),
            Work::StopTasks(actions) => {
                for (action, tasks) in actions {
                    let outcome = stop_tasks(endpoint, id, &action, &tasks);
                    endpoint.store.write(|tx| finish(tx, id, &action, outcome))?;
                }
            }
        }
    }
}

/// The action is done when ECS has accepted every StopTask; the tasks may take their `stopTimeout` after that.
fn stop_tasks(endpoint: &Arc<Endpoint>, id: &str, action: &str, tasks: &[String]) -> Result<(), Failure> {
    let reason = format!("Task stopped by AWS FIS (Experiment ID: {id})");
    tasks.iter().try_for_each(|task| {
        ecs::stop_task(endpoint, task, &reason)
            .map_err(|error| Failure::new("DependentServiceFailure", error.message, action))
    })
}

fn finish(tx: &Tx<'_>, id: &str, action: &str, outcome: Result<(), Failure>) -> Result<(), ApiError> {
    let Some(mut experiment) = tx.get::<Experiment>(id)? else { return Ok(()) };
    if let Some(progress) = experiment.progress.get_mut(action).filter(|it| it.status == ActionStatus::Running) {
        let now = Utc::now();
        match outcome {
            Ok(()) => progress.end(ActionStatus::Completed, "Action was completed.", now),
            Err(failure) => progress.fail(failure, now),
        }
        tx.put(&experiment)?;
    }
    Ok(())
}

fn step(endpoint: &Endpoint, tx: &Tx<'_>, id: &str, resumed: bool) -> Result<Work, ApiError> {
    let Some(mut experiment) = tx.get::<Experiment>(id)?.filter(|experiment| !experiment.status.is_final()) else {
        return Ok(Work::Nothing);
    };
    let now = Utc::now();
    if experiment.status == Status::Initiating {
        begin(endpoint, tx, &mut experiment)?;
    }
    let to_stop =
        if experiment.status == Status::Running { proceed(tx, &mut experiment, now, resumed)? } else { Vec::new() };
    settle(&mut experiment, now, resumed);
    tx.put(&experiment)?;
    if experiment.status.is_final() {
        tx.delete::<Active>(id)?;
        return Ok(Work::Nothing);
    }
    if !to_stop.is_empty() {
        return Ok(Work::StopTasks(to_stop));
    }
    Ok(experiment.next_wait_end().map_or(Work::Nothing, Work::Until))
}

/// Resolves the targets, once for the whole experiment.
fn begin(endpoint: &Endpoint, tx: &Tx<'_>, experiment: &mut Experiment) -> Result<(), ApiError> {
    if safety_lever::is_engaged(tx)? {
        experiment.set(Status::Cancelled, "Experiment was cancelled: the safety lever is engaged.");
        return Ok(());
    }
    match resolve_targets(endpoint, tx, experiment)? {
        Err(failure) => experiment.fail(failure),
        Ok(()) => experiment.set(Status::Running, "Experiment is running."),
    }
    Ok(())
}

fn resolve_targets(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    experiment: &mut Experiment,
) -> Result<Result<(), Failure>, ApiError> {
    let role = experiment.spec.role_arn.clone();
    if let Err(refusal) = iam::assume(endpoint, tx, &role, "fis.amazonaws.com", &experiment.arn) {
        return refused(refusal, "roleArn").map(Err);
    }
    let tasks = ecs::active_tasks(tx)?;
    for (name, target) in experiment.spec.targets.clone() {
        let found = match resolve_target(endpoint, tx, &role, &name, &target, &tasks)? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let count = found.len();
        experiment.resolved.insert(name.clone(), found);
        if count == 0 && experiment.spec.experiment_options.empty_target_resolution_mode != "skip" {
            return Ok(Err(Failure::new("InvalidTarget", "Target resolution returned empty set", &name)));
        }
        if count > MAX_TASKS {
            let reason = format!(
                "Target resolution returned {count} tasks, more than the quota Target Tasks for {STOP_TASK} ({MAX_TASKS}) allows"
            );
            return Ok(Err(Failure::new("QuotaViolation", reason, &name)));
        }
    }
    Ok(Ok(()))
}

/// The tasks of one target, found with the permissions of the experiment's role.
fn resolve_target(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    role: &str,
    name: &str,
    target: &Target,
    tasks: &[ActiveTask],
) -> Result<Result<Vec<ResolvedTask>, Failure>, ApiError> {
    let found = if target.resource_arns.is_empty() {
        let found = by_tags(target, tasks);
        if let Err(refusal) = may_search(endpoint, tx, role, target, &found) {
            return refused(refusal, name).map(Err);
        }
        found
    } else {
        match by_arn(&target.resource_arns, tasks) {
            Ok(found) => found,
            Err(missing) => {
                let reason = format!("Target resolution returned empty set: {missing} is not there or has stopped");
                return Ok(Err(Failure::new("InvalidTarget", reason, name)));
            }
        }
    };
    for task in &found {
        if let Err(refusal) = iam::authorize(tx, role, "ecs:DescribeTasks", &task.arn, &in_cluster(&task.cluster_arn)) {
            return refused(refusal, name).map(Err);
        }
    }
    let found: Vec<ResolvedTask> = found
        .into_iter()
        .filter(|task| passes(&task.description, &target.filters))
        .map(|task| ResolvedTask { arn: task.arn.clone(), cluster_arn: task.cluster_arn.clone() })
        .collect();
    let mode = SelectionMode::parse(&target.selection_mode).unwrap_or(SelectionMode::All);
    Ok(Ok(mode.select(found)))
}

/// Whether the role may look for tasks as the target says: by tag everywhere, by cluster where it names one.
fn may_search(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    role: &str,
    target: &Target,
    found: &[&ActiveTask],
) -> Result<(), ApiError> {
    if !target.resource_tags.is_empty() {
        iam::authorize(tx, role, "tag:GetResources", "*", &BTreeMap::new())?;
    }
    let clusters: Vec<String> = match target.parameters.get("cluster") {
        Some(arn) if arn.starts_with("arn:") => vec![arn.clone()],
        Some(name) => vec![endpoint.arn("ecs", &format!("cluster/{name}"))],
        None => found.iter().map(|task| task.cluster_arn.clone()).collect(),
    };
    clusters.iter().try_for_each(|cluster| iam::authorize(tx, role, "ecs:ListTasks", "*", &in_cluster(cluster)))
}

fn in_cluster(cluster_arn: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("ecs:cluster".to_owned(), cluster_arn.to_owned())])
}

/// IAM's refusal as the experiment's failure; a failure of the endpoint itself stays one.
fn refused(error: ApiError, location: &str) -> Result<Failure, ApiError> {
    if error.status >= 500 { Err(error) } else { Ok(Failure::new("UnauthorizedOperation", error.message, location)) }
}

/// Ends the waits that are over and starts the actions whose turn has come, until nothing changes. Returns what is
/// to be stopped; a `resumed` experiment sends again what an earlier endpoint may not have sent.
fn proceed(
    tx: &Tx<'_>,
    experiment: &mut Experiment,
    now: DateTime<Utc>,
    resumed: bool,
) -> Result<Vec<(String, Vec<String>)>, ApiError> {
    let mut to_stop = Vec::new();
    if resumed {
        let running = |name: &&String| experiment.is(name, ActionStatus::Running, STOP_TASK);
        let names: Vec<String> = experiment.spec.actions.keys().filter(running).cloned().collect();
        to_stop.extend(names.into_iter().map(|name| (name.clone(), arns(&experiment.tasks_of(&name)))));
    }
    experiment.end_waits(now);
    while let Some(name) = experiment.next_ready() {
        let tasks = experiment.tasks_of(&name);
        let waits = experiment.is(&name, ActionStatus::Pending, WAIT);
        let refusal = if experiment.actions_mode == ActionsMode::RunAll && !waits {
            may_stop(tx, &experiment.spec.role_arn, &name, &tasks)?
        } else {
            None
        };
        let skipped = experiment.actions_mode == ActionsMode::SkipAll;
        let Some(progress) = experiment.progress.get_mut(&name) else { continue };
        if skipped {
            progress.end(ActionStatus::Skipped, "Action was skipped.", now);
        } else if !waits && tasks.is_empty() {
            progress.end(
                ActionStatus::Skipped,
                "Action was skipped because its target resolution returned empty set.",
                now,
            );
        } else if let Some(failure) = refusal {
            progress.fail(failure, now);
        } else {
            progress.status = ActionStatus::Running;
            progress.reason.clear();
            progress.started_at = Some(now);
            if !waits {
                to_stop.push((name, arns(&tasks)));
            }
        }
    }
    Ok(to_stop)
}

fn arns(tasks: &[ResolvedTask]) -> Vec<String> {
    tasks.iter().map(|task| task.arn.clone()).collect()
}

/// Why the role may not stop the tasks, if it may not.
fn may_stop(tx: &Tx<'_>, role: &str, action: &str, tasks: &[ResolvedTask]) -> Result<Option<Failure>, ApiError> {
    for task in tasks {
        if let Err(refusal) = iam::authorize(tx, role, "ecs:StopTask", &task.arn, &in_cluster(&task.cluster_arn)) {
            return refused(refusal, action).map(Some);
        }
    }
    Ok(None)
}

/// Ends the experiment when it is time: all actions over, one failed, or a stop asked for.
fn settle(experiment: &mut Experiment, now: DateTime<Utc>, resumed: bool) {
    let failure = experiment.failure_of_an_action();
    match experiment.status {
        Status::Initiating => {}
        // What was sent when another action failed is still waited for.
        Status::Running if failure.is_none() => {}
        Status::Running => experiment.abandon(now, false),
        _ => experiment.abandon(now, resumed),
    }
    let is_over = |progress: &Progress| !matches!(progress.status, ActionStatus::Pending | ActionStatus::Running);
    if experiment.progress.values().all(is_over) {
        match (experiment.status, failure) {
            (Status::Running, Some(failure)) => experiment.fail(failure),
            (Status::Running, None) => experiment.set(Status::Completed, "Experiment completed."),
            (Status::Stopping, _) => experiment.set(Status::Stopped, "Experiment stopped."),
            _ => {}
        }
    }
    if experiment.status.is_final() {
        experiment.ended_at = Some(now);
    }
}

impl Progress {
    fn end(&mut self, status: ActionStatus, reason: &str, now: DateTime<Utc>) {
        self.status = status;
        reason.clone_into(&mut self.reason);
        self.ended_at = Some(now);
    }

    fn fail(&mut self, failure: Failure, now: DateTime<Utc>) {
        self.end(ActionStatus::Failed, &failure.reason, now);
        self.failure = Some(failure);
    }
}

impl Experiment {
    fn set(&mut self, status: Status, reason: &str) {
        self.status = status;
        reason.clone_into(&mut self.reason);
    }

    fn fail(&mut self, failure: Failure) {
        self.set(Status::Failed, &failure.reason);
        self.failure = Some(failure);
    }

    /// Of several, the one that failed first is the experiment's.
    fn failure_of_an_action(&self) -> Option<Failure> {
        let failed = self.progress.values().filter(|progress| progress.failure.is_some());
        failed.min_by_key(|progress| progress.ended_at).and_then(|progress| progress.failure.clone())
    }

    fn is(&self, action: &str, status: ActionStatus, action_id: &str) -> bool {
        self.progress.get(action).is_some_and(|progress| progress.status == status)
            && self.spec.actions.get(action).is_some_and(|action| action.action_id == action_id)
    }

    /// The tasks that an action is to stop.
    fn tasks_of(&self, action: &str) -> Vec<ResolvedTask> {
        let targets = self.spec.actions.get(action).map(|action| action.targets.values());
        targets.into_iter().flatten().filter_map(|target| self.resolved.get(target)).flatten().cloned().collect()
    }

    /// When the running wait `action` ends.
    fn wait_end(&self, action: &str) -> Option<DateTime<Utc>> {
        let started = self.progress.get(action)?.started_at?;
        let text = self.spec.actions.get(action)?.parameters.get("duration")?;
        started.checked_add_signed(duration::parse(text).unwrap_or(TimeDelta::zero()))
    }

    fn running_waits(&self) -> impl Iterator<Item = (&String, DateTime<Utc>)> {
        self.spec
            .actions
            .keys()
            .filter(|name| self.is(name, ActionStatus::Running, WAIT))
            .filter_map(|name| Some((name, self.wait_end(name)?)))
    }

    fn next_wait_end(&self) -> Option<DateTime<Utc>> {
        self.running_waits().map(|(_, end)| end).min()
    }

    fn end_waits(&mut self, now: DateTime<Utc>) {
        let over: Vec<String> =
            self.running_waits().filter(|(_, end)| *end <= now).map(|(name, _)| name.clone()).collect();
        for name in over {
            if let Some(progress) = self.progress.get_mut(&name) {
                progress.end(ActionStatus::Completed, "Action was completed.", now);
            }
        }
    }

    /// A pending action that comes after none that has yet to be completed or skipped. After a failure there is none.
    fn next_ready(&self) -> Option<String> {
        if self.failure_of_an_action().is_some() {
            return None;
        }
        let over = |name: &String| {
            let status = self.progress.get(name).map(|progress| progress.status);
            matches!(status, Some(ActionStatus::Completed | ActionStatus::Skipped))
        };
        let ready = self.spec.actions.iter().find(|(name, action)| {
            self.progress.get(*name).is_some_and(|progress| progress.status == ActionStatus::Pending)
                && action.start_after.iter().all(over)
        });
        ready.map(|(name, _)| name.clone())
    }

    /// Starts nothing more and ends the waits. A StopTask under way is ended by who sent it, unless that one is gone.
    fn abandon(&mut self, now: DateTime<Utc>, resumed: bool) {
        for (name, progress) in &mut self.progress {
            let waits = self.spec.actions.get(name).is_none_or(|action| action.action_id == WAIT);
            match progress.status {
                ActionStatus::Pending => progress.end(ActionStatus::Cancelled, "Action was cancelled.", now),
                ActionStatus::Running if waits || resumed => {
                    progress.end(ActionStatus::Stopped, "Action was stopped.", now);
                }
                _ => {}
            }
        }
    }
}
