//! A request's way through the gate of its task's cluster.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::gates::{Gate, Gates};
use super::record::{Outcome, Request};
use super::script::Cut;
use crate::auth::Caller;
use crate::ecs::gated;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;

/// How often a request that is held looks whether the task of the turn has ended meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// How long a task may go on after the last answer that it gets, if it neither asks for anything more nor ends.
const LONGEST: Duration = Duration::from_secs(5);

/// A request that has passed, and is being done.
pub(crate) struct Passage {
    endpoint: Arc<Endpoint>,
    gate: Arc<Gate>,
    /// Id of the task.
    task: String,
    /// Place in the record.
    request: usize,
    turn: usize,
    cut: Option<Cut>,
}

/// Waits until the request may be done. `None`: there is no gate in its way.
///
/// # Errors
/// When its task has been killed instead; nobody is there to read that.
pub(crate) async fn enter(call: &Call) -> Result<Option<Passage>, ApiError> {
    let gates = call.endpoint.memory::<Gates>();
    let Caller::Role { session_name: task, .. } = &call.caller else { return Ok(None) };
    // The session of a task bears the task's id.
    let gate = gates.of_task(task, |cluster| gated::is_there(&call.endpoint, cluster, task))?;
    let Some(gate) = gate else { return Ok(None) };
    let passage = Held::new(&gate, task, call).wait(&call.endpoint).await?;
    if passage.cut == Some(Cut::BeforeEffect) {
        passage.kill(Outcome::Prevented, None).await;
        return Err(killed());
    }
    Ok(Some(passage))
}

fn killed() -> ApiError {
    ApiError::internal("The task was killed at the gate.")
}

/// A request that waits for its turn. Dropped, its task has hung up.
struct Held<'a> {
    gate: &'a Arc<Gate>,
    task: &'a str,
    request: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.gate.change(|state| {
            let outcome = &mut state.requests[self.request].outcome;
            if *outcome == Outcome::Held {
                *outcome = Outcome::GivenUp;
            }
        });
    }
}

impl<'a> Held<'a> {
    fn new(gate: &'a Arc<Gate>, task: &'a str, call: &Call) -> Self {
        let request = gate.change(|state| {
            let request = Request {
                task: state.number(task),
                service: call.service.wire.signing_name,
                operation: call.operation.name,
                input: call.input.clone(),
                outcome: Outcome::Held,
                error: None,
                cut: None,
                passed: None,
            };
            state.requests.push(request);
            state.requests.len() - 1
        });
        Self { gate, task, request }
    }

    async fn wait(self, endpoint: &Arc<Endpoint>) -> Result<Passage, ApiError> {
        loop {
            let changed = self.gate.changed.notified();
            if let Some((turn, cut)) = self.gate.state().pass(self.request) {
                let (endpoint, gate) = (Arc::clone(endpoint), Arc::clone(self.gate));
                return Ok(Passage { endpoint, gate, task: self.task.to_owned(), request: self.request, turn, cut });
            }
            self.end_turn_of_who_has_ended(endpoint)?;
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn end_turn_of_who_has_ended(&self, endpoint: &Endpoint) -> Result<(), ApiError> {
        let Some(present) = self.gate.state().present() else { return Ok(()) };
        if gated::has_ended(endpoint, &self.gate.cluster, &present)? {
            // Unless somebody else has seen it first.
            self.gate.change(|state| {
                if state.present().as_ref() == Some(&present) {
                    state.script.end_turn();
                }
            });
        }
        Ok(())
    }
}

impl Passage {
    /// The request is done: its task hears of it, or is killed first.
    ///
    /// # Errors
    /// Those of the request; when the task has been killed instead.
    pub(crate) async fn leave(self, result: Result<Value, ApiError>) -> Result<Value, ApiError> {
        let outcome = if result.is_ok() { Outcome::Done } else { Outcome::Refused };
        let error = result.as_ref().err().map(|error| error.code.clone());
        match self.cut {
            None | Some(Cut::BeforeEffect) => self.end(outcome, error),
            Some(Cut::AfterEffect) => {
                self.kill(outcome, error).await;
                return Err(killed());
            }
            Some(Cut::AfterAnswer) => drop(self.kill(outcome, error)),
        }
        result
    }

    fn end(&self, outcome: Outcome, error: Option<String>) {
        self.gate.change(|state| {
            let request = &mut state.requests[self.request];
            (request.outcome, request.error) = (outcome, error);
            state.script.end_request(self.turn);
        });
    }

    /// From now on its task gets nothing done.
    fn condemn(&self) {
        self.gate.change(|state| {
            let task = state.requests[self.request].task;
            state.condemned.push(task);
        });
    }

    /// Kills the task; its turn is over when it is gone. That goes on when nobody waits for it: the dead task has hung up.
    fn kill(self, outcome: Outcome, error: Option<String>) -> impl Future<Output = ()> {
        self.condemn();
        let killed = tokio::spawn(async move {
            if self.cut == Some(Cut::AfterAnswer) {
                let _ = tokio::time::timeout(LONGEST, self.heard_of_again()).await;
            }
            gated::kill(&self.endpoint, &self.task).await;
            self.end(outcome, error);
        });
        async move {
            let _ = killed.await;
        }
    }

    /// Waits until the task has done all that follows from its answer: until it asks for something more, or has ended.
    async fn heard_of_again(&self) {
        let asks = || {
            let state = self.gate.state();
            let task = state.requests[self.request].task;
            state.requests[self.request + 1..].iter().any(|request| request.task == task)
        };
        while !asks() && !gated::has_ended(&self.endpoint, &self.gate.cluster, &self.task).unwrap_or(true) {
            tokio::time::sleep(LOOK).await;
        }
    }
}
