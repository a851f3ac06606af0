//! What an experiment does next. Everything is read from its record and written to it, in one transaction a step:
//! whoever drives it may be killed at any moment, and another one goes on.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::catalog::{KILL_PROCESS, STOP_TASK, WAIT};
use super::experiment::{ActionStatus, ActionsMode, Active, Experiment, Failure, Progress, Status};
use super::experiment_event::State;
use super::spec::Action;
use super::targets::{Principal, failed};
use super::{experiment_event, safety_lever, targets};
use crate::background;
use crate::ecs::{active, signal};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// How long after a failure of the endpoint itself (e.g. a full disk) a step is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Goes on with every experiment that an earlier endpoint left unfinished.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    for active in endpoint.store.read(|tx| tx.list::<Active>())? {
        go_on(endpoint, active.experiment_id, true);
    }
    Ok(())
}

/// Does what is next for the experiment, now and until it has ended.
pub(super) fn spawn(endpoint: &Arc<Endpoint>, id: &str) {
    go_on(endpoint, id.to_owned(), false);
}

fn go_on(endpoint: &Arc<Endpoint>, id: String, resumed: bool) {
    let endpoint = Arc::clone(endpoint);
    background::drive(id.clone(), move || drive(Arc::clone(&endpoint), id.clone(), resumed));
}

/// What a step leaves to do outside of its transaction.
enum Work {
    /// What actions do to their tasks.
    Inject(Vec<Fault>),
    /// Nothing before this time, when a wait ends.
    Until(DateTime<Utc>),
    /// Nothing; the experiment has ended, or another driver is on it.
    Nothing,
}

/// An action that is to be done to tasks.
struct Fault {
    name: String,
    action: Action,
    /// ARNs.
    tasks: Vec<String>,
    /// An earlier endpoint may have done it.
    again: bool,
}

async fn drive(endpoint: Arc<Endpoint>, id: String, mut resumed: bool) {
    loop {
        let pause = match advance(&endpoint, &id, &mut resumed).await {
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
async fn advance(endpoint: &Arc<Endpoint>, id: &str, resumed: &mut bool) -> Result<Option<DateTime<Utc>>, ApiError> {
    loop {
        let work = endpoint.store.write(|tx| step(endpoint, tx, id, *resumed))?;
        *resumed = false;
        match work {
            Work::Nothing => return Ok(None),
            Work::Until(time) => return Ok(Some(time)),
            Work::Inject(faults) => {
                for fault in faults {
                    let outcome = inject(endpoint, id, &fault).await;
                    endpoint.store.write(|tx| finish(tx, id, &fault.name, outcome))?;
                }
            }
        }
    }
}

/// The action is done when ECS has accepted every StopTask, the tasks may take their `stopTimeout` after that; or when every
/// process has been sent its signal.
async fn inject(endpoint: &Arc<Endpoint>, id: &str, fault: &Fault) -> Result<(), Failure> {
    let Fault { name, action, tasks, again } = fault;
    let reason = format!("Task stopped by AWS FIS (Experiment ID: {id})");
    let parameter = |name: &str| action.parameters.get(name).map(String::as_str);
    for task in tasks {
        let done = match action.action_id.as_str() {
            STOP_TASK => active::stop_task(endpoint, task, &reason),
            _ => {
                let (process, signal) = (parameter("processName").unwrap_or_default(), parameter("signal"));
                signal::send(endpoint, task, process, signal.unwrap_or("SIGTERM"), *again).await
            }
        };
        done.map_err(|error| Failure::new("DependentServiceFailure", error.message, name))?;
    }
    Ok(())
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
    let mut before = State::of(&experiment);
    if experiment.status == Status::Initiating {
        begin(endpoint, tx, &mut experiment)?;
        experiment_event::send(endpoint, tx, &experiment, &before)?;
        before = State::of(&experiment);
    }
    let faults =
        if experiment.status == Status::Running { proceed(tx, &mut experiment, now, resumed)? } else { Vec::new() };
    settle(&mut experiment, now, resumed);
    experiment_event::send(endpoint, tx, &experiment, &before)?;
    tx.put(&experiment)?;
    if experiment.status.is_final() {
        tx.delete::<Active>(id)?;
        return Ok(Work::Nothing);
    }
    if !faults.is_empty() {
        return Ok(Work::Inject(faults));
    }
    Ok(experiment.next_wait_end().map_or(Work::Nothing, Work::Until))
}

/// Resolves the targets, once for the whole experiment.
fn begin(endpoint: &Endpoint, tx: &Tx<'_>, experiment: &mut Experiment) -> Result<(), ApiError> {
    if safety_lever::is_engaged(tx)? {
        experiment.set(Status::Cancelled, "Experiment was cancelled: the safety lever is engaged.");
        return Ok(());
    }
    match failed(targets::resolve(endpoint, tx, experiment))? {
        Err(failure) => experiment.fail(failure),
        Ok(()) => experiment.set(Status::Running, "Experiment is running."),
    }
    Ok(())
}

/// Ends the waits that are over and starts the actions whose turn has come, until nothing changes. Returns what is
/// to be done to tasks; a `resumed` experiment sends again what an earlier endpoint may not have sent.
fn proceed(
    tx: &Tx<'_>,
    experiment: &mut Experiment,
    now: DateTime<Utc>,
    resumed: bool,
) -> Result<Vec<Fault>, ApiError> {
    let mut faults = Vec::new();
    if resumed {
        let running = |name: &&String| {
            let is = |action| experiment.is(name, ActionStatus::Running, action);
            is(STOP_TASK) || is(KILL_PROCESS)
        };
        faults.extend(
            experiment.spec.actions.keys().filter(running).filter_map(|name| Fault::of(experiment, name, true)),
        );
    }
    experiment.end_waits(now);
    while let Some(name) = experiment.next_ready() {
        let tasks = experiment.tasks_of(&name);
        let waits = experiment.is(&name, ActionStatus::Pending, WAIT);
        let skipped = experiment.actions_mode == ActionsMode::SkipAll;
        let stops = experiment.is(&name, ActionStatus::Pending, STOP_TASK);
        // Signals are sent by the endpoint itself: there is no SSM here that could ask.
        let allowed =
            if stops && !skipped { failed(Principal::of(tx, experiment).may_stop(&tasks, &name))? } else { Ok(()) };
        let Some(progress) = experiment.progress.get_mut(&name) else { continue };
        if skipped {
            progress.end(ActionStatus::Skipped, "Action was skipped.", now);
        } else if !waits && tasks.is_empty() {
            progress.end(ActionStatus::Skipped, "Action was skipped: its target resolution returned empty set.", now);
        } else if let Err(failure) = allowed {
            progress.start(now);
            progress.fail(failure, now);
        } else {
            progress.start(now);
            if !waits {
                faults.extend(Fault::of(experiment, &name, false));
            }
        }
    }
    Ok(faults)
}

impl Fault {
    fn of(experiment: &Experiment, name: &str, again: bool) -> Option<Self> {
        let action = experiment.spec.actions.get(name)?.clone();
        let tasks = experiment.tasks_of(name).into_iter().map(|task| task.arn).collect();
        Some(Self { name: name.to_owned(), action, tasks, again })
    }
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

#[cfg(test)]
mod tests;
