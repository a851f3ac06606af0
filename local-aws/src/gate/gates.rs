//! The gates of the endpoint, by cluster. They are in memory: an endpoint that is started again holds nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::record::{Outcome, Request};
use super::script::{Cut, Script};
use crate::error::ApiError;

#[derive(Default)]
pub(super) struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

impl Gates {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Gate>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gate that the task has come to before, or that of the first cluster which `has` it.
    pub(super) fn of_task(
        &self,
        task: &str,
        has: impl Fn(&str) -> Result<bool, ApiError>,
    ) -> Result<Option<Arc<Gate>>, ApiError> {
        let gates: Vec<_> = self.all().values().cloned().collect();
        if let Some(gate) = gates.iter().find(|gate| gate.state().tasks.iter().any(|known| known == task)) {
            return Ok(Some(Arc::clone(gate)));
        }
        for gate in gates {
            if has(&gate.cluster)? {
                return Ok(Some(gate));
            }
        }
        Ok(None)
    }

    /// The gate of the cluster with this name.
    pub(super) fn of(&self, cluster: &str) -> Option<Arc<Gate>> {
        self.all().get(cluster).cloned()
    }

    /// Takes the place of the one that was there, whose requests may all pass.
    pub(super) fn put(&self, cluster: String, script: Script) {
        let state = Mutex::new(State { script, ..State::default() });
        let gate = Arc::new(Gate { cluster: cluster.clone(), state, changed: Notify::new() });
        if let Some(former) = self.all().insert(cluster, gate) {
            former.open();
        }
    }

    /// Whether there was one.
    pub(super) fn delete(&self, cluster: &str) -> bool {
        let gate = self.all().remove(cluster);
        gate.inspect(|gate| gate.open()).is_some()
    }
}

/// The gate of one cluster.
pub(super) struct Gate {
    pub(super) cluster: String,
    state: Mutex<State>,
    pub(super) changed: Notify,
}

/// What a gate knows.
#[derive(Default)]
pub(super) struct State {
    pub(super) script: Script,
    /// Ids of the tasks, in the order in which they came.
    pub(super) tasks: Vec<String>,
    pub(super) requests: Vec<Request>,
    /// Numbers of the tasks that are about to be killed: they get nothing done any more.
    pub(super) condemned: Vec<usize>,
    /// Requests that have passed.
    passed: usize,
}

impl Gate {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and tells whoever waits.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_waiters();
        result
    }

    fn open(&self) {
        self.change(|state| state.script = Script::default());
    }
}

impl State {
    /// The number of a task; a new one gets the next.
    pub(super) fn number(&mut self, task: &str) -> usize {
        let known = self.tasks.iter().position(|id| id == task);
        let place = known.unwrap_or_else(|| {
            self.tasks.push(task.to_owned());
            self.tasks.len() - 1
        });
        place + 1
    }

    /// Lets a request begin, if it is its task's turn: with the turn and the cut that it meets.
    pub(super) fn pass(&mut self, request: usize) -> Option<(usize, Option<Cut>)> {
        let task = self.requests[request].task;
        if self.condemned.contains(&task) {
            return None;
        }
        let turn = self.script.over();
        let cut = self.script.pass(task)?;
        let request = &mut self.requests[request];
        (request.outcome, request.cut, request.passed) = (Outcome::Begun, cut, Some(self.passed));
        self.passed += 1;
        Some((turn, cut))
    }

    /// The id of the task whose turn it is, if it has come.
    pub(super) fn present(&self) -> Option<String> {
        self.tasks.get(self.script.present()?.checked_sub(1)?).cloned()
    }
}
