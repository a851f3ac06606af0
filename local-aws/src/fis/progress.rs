//! An experiment's states, and those of its actions: what is next, and what ends what.

use chrono::{DateTime, TimeDelta, Utc};

use super::catalog::WAIT;
use super::duration;
use super::experiment::{ActionStatus, Experiment, Failure, Progress, ResolvedTask, Status};
use super::experiment_event::{self, State};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

impl Progress {
    pub(super) fn start(&mut self, now: DateTime<Utc>) {
        self.status = ActionStatus::Running;
        self.reason.clear();
        self.started_at = Some(now);
    }

    pub(super) fn end(&mut self, status: ActionStatus, reason: &str, now: DateTime<Utc>) {
        self.status = status;
        reason.clone_into(&mut self.reason);
        // What never began has no end either.
        self.ended_at = self.started_at.map(|_| now);
    }

    pub(super) fn fail(&mut self, failure: Failure, now: DateTime<Utc>) {
        self.end(ActionStatus::Failed, &failure.reason, now);
        self.failure = Some(failure);
    }
}

impl Experiment {
    pub(super) fn set(&mut self, status: Status, reason: &str) {
        self.status = status;
        reason.clone_into(&mut self.reason);
    }

    /// Asks for its end; says whether it goes on until then.
    pub(super) fn request_stop(&mut self, endpoint: &Endpoint, tx: &Tx<'_>) -> Result<bool, ApiError> {
        if self.status.is_final() {
            return Ok(false);
        }
        let before = State::of(self);
        self.set(Status::Stopping, "Stopping Experiment.");
        tx.put(self)?;
        experiment_event::send(endpoint, tx, self, &before)?;
        Ok(true)
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.set(Status::Failed, &failure.reason);
        self.failure = Some(failure);
    }

    /// Of several, the one that failed first is the experiment's.
    pub(super) fn failure_of_an_action(&self) -> Option<Failure> {
        let failed = self.progress.values().filter(|progress| progress.failure.is_some());
        failed.min_by_key(|progress| progress.ended_at).and_then(|progress| progress.failure.clone())
    }

    pub(super) fn is(&self, action: &str, status: ActionStatus, action_id: &str) -> bool {
        self.progress.get(action).is_some_and(|progress| progress.status == status)
            && self.spec.actions.get(action).is_some_and(|action| action.action_id == action_id)
    }

    /// The tasks that an action is to stop.
    pub(super) fn tasks_of(&self, action: &str) -> Vec<ResolvedTask> {
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

    pub(super) fn next_wait_end(&self) -> Option<DateTime<Utc>> {
        self.running_waits().map(|(_, end)| end).min()
    }

    pub(super) fn end_waits(&mut self, now: DateTime<Utc>) {
        let over: Vec<String> =
            self.running_waits().filter(|(_, end)| *end <= now).map(|(name, _)| name.clone()).collect();
        for name in over {
            if let Some(progress) = self.progress.get_mut(&name) {
                progress.end(ActionStatus::Completed, "Action was completed.", now);
            }
        }
    }

    /// The next pending action whose predecessors are all done or skipped. After a failure there is none.
    pub(super) fn next_ready(&self) -> Option<String> {
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
    pub(super) fn abandon(&mut self, now: DateTime<Utc>, resumed: bool) {
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
