//! The calls for the safety lever.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::experiment::{Active, Experiment};
use super::refusal::{conflict, not_found};
use super::run;
use super::safety_lever::{ID, SafetyLever, Status, load};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

fn describe(endpoint: &Endpoint, lever: &SafetyLever) -> Value {
    let arn = endpoint.arn("fis", &format!("safety-lever/{ID}"));
    json!({"safetyLever": {"id": ID, "arn": arn, "state": lever}})
}

fn check_id(endpoint: &Endpoint, id: &str) -> Result<(), ApiError> {
    if id == ID || id == endpoint.arn("fis", &format!("safety-lever/{ID}")) {
        Ok(())
    } else {
        Err(not_found(format!("Safety lever {id} not found: its id is {ID}.")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetSafetyLever {
    id: String,
}

pub(super) fn get(endpoint: &Endpoint, input: GetSafetyLever) -> Result<Value, ApiError> {
    check_id(endpoint, &input.id)?;
    Ok(describe(endpoint, &endpoint.store.read(load)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateSafetyLeverState {
    id: String,
    state: SafetyLever,
}

pub(super) fn update(endpoint: &Arc<Endpoint>, input: UpdateSafetyLeverState) -> Result<Value, ApiError> {
    check_id(endpoint, &input.id)?;
    let stopping = endpoint.store.write(|tx| {
        let old = load(tx)?;
        if old.status == input.state.status && old.reason != input.state.reason {
            return Err(conflict("The reason can only be changed together with the status."));
        }
        tx.put(&input.state)?;
        let mut stopping = Vec::new();
        if input.state.status == Status::Engaged {
            for active in tx.list::<Active>()? {
                if let Some(mut experiment) = tx.get::<Experiment>(&active.experiment_id)?
                    && experiment.request_stop(endpoint, tx)?
                {
                    stopping.push(experiment.id);
                }
            }
        }
        Ok(stopping)
    })?;
    for id in &stopping {
        run::spawn(endpoint, id);
    }
    Ok(describe(endpoint, &input.state))
}
