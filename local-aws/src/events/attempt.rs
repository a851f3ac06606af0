//! One try to give a target its event.

use std::sync::Arc;

use serde_json::Value;

use super::delivery::Delivery;
use super::failure::Failure;
use super::rule::Rule;
use super::run_task::{self, SERVICE};
use super::target::{Kind, Target};
use super::transform::{Circumstances, InputPath, InputTransformer};
use crate::ecs::run_task::Run;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::Principal;
use crate::lambda;
use crate::sqs;
use crate::store::Tx;

/// What is to be done once the transaction of the delivery has ended.
pub(super) enum After {
    Nothing,
    StartTasks(Run),
    WakeFunctions,
}

impl After {
    pub(super) fn act(&self, endpoint: &Arc<Endpoint>) {
        match self {
            Self::Nothing => {}
            Self::StartTasks(run) => run.start(endpoint),
            Self::WakeFunctions => lambda::wake(endpoint),
        }
    }
}

/// Gives the target its event.
pub(super) fn attempt(
    endpoint: &Arc<Endpoint>,
    tx: &Tx<'_>,
    rule: &Rule,
    target: &Target,
    delivery: &Delivery,
) -> Result<After, Failure> {
    let event: Value = serde_json::from_str(&delivery.event).map_err(ApiError::from)?;
    let input = input(rule, target, delivery, &event)?;
    let from = Principal { service: SERVICE, source_arn: &rule.arn };
    match Kind::of(&target.arn) {
        Some(Kind::Cluster) => {
            // The event itself is nothing that RunTask takes.
            let input = if target.is_whole_event() { None } else { Some(input.as_str()) };
            let id = event["id"].as_str().unwrap_or_default();
            run_task::run_task(endpoint, tx, rule, target, id, input).map(After::StartTasks)
        }
        Some(Kind::Queue) => {
            sqs::deliver(tx, endpoint, &target.arn, &from, &input, &[])?;
            Ok(After::Nothing)
        }
        Some(Kind::Function) => {
            lambda::invoke_later(tx, endpoint, &target.arn, &from, &input)?;
            Ok(After::WakeFunctions)
        }
        None => Err(ApiError::unsupported(format!("The target {}", target.arn)).into()),
    }
}

/// What the target gets.
fn input(rule: &Rule, target: &Target, delivery: &Delivery, event: &Value) -> Result<String, Failure> {
    if let Some(input) = &target.input {
        return Ok(input.clone());
    }
    if let Some(path) = &target.input_path {
        let nothing = || Failure::lasting("INVALID_JSON", format!("The event has nothing at {path}."));
        return InputPath::parse(path, &target.id)?.apply(event).ok_or_else(nothing);
    }
    if let Some(transformer) = &target.input_transformer {
        let about = Circumstances { rule_arn: &rule.arn, rule_name: &rule.name, ingestion_time: delivery.accepted_at };
        let nothing = || Failure::lasting("INVALID_JSON", "What InputTransformer makes of the event is no JSON.");
        let template = &transformer.input_template;
        let transformer = InputTransformer::parse(&transformer.input_paths_map, template, &target.id)?;
        return transformer.apply(event, &about).ok_or_else(nothing);
    }
    Ok(delivery.event.clone())
}
