//! The event that a change of an experiment's state sends.

use serde_json::{Value, json};

use super::experiment::{Experiment, Status};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::outbox::{self, Event};
use crate::store::Tx;

/// An experiment's state, as events show it.
#[derive(Clone, PartialEq)]
pub(super) struct State {
    status: &'static str,
    reason: String,
}

impl State {
    /// Before the experiment is there.
    pub(super) fn pending() -> Self {
        Self { status: "pending", reason: "Experiment is pending.".to_owned() }
    }

    pub(super) fn of(experiment: &Experiment) -> Self {
        Self { status: experiment.status.name(), reason: experiment.reason.clone() }
    }

    fn shown(&self) -> Value {
        json!({"status": self.status, "reason": self.reason})
    }
}

/// Sends `FIS Experiment State Change` if the experiment's status is another than `before`. AWS lists no event for an
/// experiment that is cancelled.
pub(super) fn send(endpoint: &Endpoint, tx: &Tx<'_>, experiment: &Experiment, before: &State) -> Result<(), ApiError> {
    let now = State::of(experiment);
    if now.status == before.status || experiment.status == Status::Cancelled {
        return Ok(());
    }
    outbox::put(tx, endpoint, || {
        let detail = json!({
            "experiment-id": experiment.id,
            "experiment-template-id": experiment.template_id,
            "new-state": now.shown(),
            "old-state": before.shown(),
        });
        Event::new("aws.fis", "FIS Experiment State Change", vec![experiment.arn.clone()], detail)
    })
}
