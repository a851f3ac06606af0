//! Makes the stack what its template says, in parallel where dependencies allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::pass::Pass;
use super::run::{Run, failed_to, settle};
use super::step::{self, Action, Step};
use crate::cloudformation::compiled::Compiled;
use crate::cloudformation::export::{self, Imports};
use crate::cloudformation::stack::{OnFailure, Stack};
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::{ResourceStatus, StackStatus};
use crate::error::ApiError;
use crate::store::Tx;

/// One run through the template.
struct Apply {
    pass: Pass,
    started: BTreeSet<String>,
    /// A call has given the stack something else to do.
    superseded: bool,
    /// Set when the first resource fails: those under way are cancelled.
    cancelled: Arc<watch::Sender<bool>>,
}

/// The phase CREATE_IN_PROGRESS or UPDATE_IN_PROGRESS.
pub(super) async fn apply(run: &Run, stack: Stack) -> Result<Stack, ApiError> {
    let phase = stack.status;
    let compiled = Compiled::of(&run.endpoint, &stack, &stack.target)?;
    let (resources, imports) =
        run.endpoint.store.read(|tx| Ok((StackResource::all(tx, &stack.stack_id)?, Imports::load(tx)?)))?;
    let mut apply = Apply {
        pass: Pass { run: run.clone(), stack, compiled, imports, resources, created: BTreeMap::new() },
        started: BTreeSet::new(),
        superseded: false,
        cancelled: Arc::new(watch::Sender::new(false)),
    };
    apply.work().await?;
    let failed = apply.failed();
    if !failed.is_empty() {
        return run.end_phase(phase, |tx, stack| fail(tx, stack, &apply.reason(&failed)));
    }
    apply.finish(phase)
}

impl Apply {
    async fn work(&mut self) -> Result<(), ApiError> {
        // After a restart: what failed before it has failed.
        self.cancelled.send_replace(!self.failed().is_empty());
        let mut running: JoinSet<Result<StackResource, ApiError>> = JoinSet::new();
        loop {
            while !self.superseded && !*self.cancelled.borrow() {
                let ready = self.ready();
                if ready.is_empty() {
                    break;
                }
                for (step, record) in self.begin(&ready)? {
                    let (run, stack, cancelled) =
                        (self.pass.run.clone(), self.pass.stack.clone(), Arc::clone(&self.cancelled));
                    running.spawn(async move { step::carry_out(&run, &stack, step, record, &cancelled).await });
                }
            }
            let Some(record) = running.join_next().await else { return Ok(()) };
            self.note(
                record.map_err(|error| ApiError::internal(format!("A resource's step was cut short: {error}")))??,
            );
        }
    }

    /// Resources whose turn it is.
    fn ready(&self) -> Vec<String> {
        let dependencies = self.pass.compiled.dependencies.iter();
        dependencies
            .filter(|(logical_id, needs)| {
                !self.started.contains(*logical_id) && needs.iter().all(|need| self.pass.created.contains_key(need))
            })
            .map(|(logical_id, _)| logical_id.clone())
            .collect()
    }

    /// Decides about the resources and writes that work on them begins; gives what is to be done.
    fn begin(&mut self, ready: &[String]) -> Result<Vec<(Step, StackResource)>, ApiError> {
        let decided: Vec<(String, Result<Step, ApiError>)> =
            ready.iter().map(|logical_id| (logical_id.clone(), step::decide(&self.pass, logical_id))).collect();
        self.started.extend(ready.iter().cloned());
        let phase = self.pass.stack.status;
        let written = self.pass.run.endpoint.store.write(|tx| {
            if Stack::of(tx, &self.pass.stack.stack_id)?.status != phase {
                return Ok(None);
            }
            let written: Result<Vec<_>, ApiError> =
                decided.into_iter().map(|(logical_id, step)| step::begin(tx, &self.pass, &logical_id, step)).collect();
            written.map(Some)
        })?;
        let Some(written) = written else {
            self.superseded = true;
            return Ok(Vec::new());
        };
        let mut steps = Vec::new();
        for (step, record) in written {
            match step {
                Some(step) if step.action != Action::Keep => {
                    self.pass.resources.insert(record.logical_id.clone(), record.clone());
                    steps.push((step, record));
                }
                _ => self.note(record),
            }
        }
        Ok(steps)
    }

    fn note(&mut self, record: StackResource) {
        if record.status.is_failed() {
            self.cancelled.send_replace(true);
        } else if let Some(created) = record.created() {
            self.pass.created.insert(record.logical_id.clone(), created);
        }
        self.pass.resources.insert(record.logical_id.clone(), record);
    }

    /// Resources that this operation could not make or change.
    fn failed(&self) -> Vec<StackResource> {
        let of_this_operation = |it: &&StackResource| it.operation_id == self.pass.stack.operation.id;
        self.pass.resources.values().filter(of_this_operation).filter(|it| it.status.is_failed()).cloned().collect()
    }

    fn reason(&self, failed: &[StackResource]) -> String {
        let with = |status: ResourceStatus| -> Vec<String> {
            failed.iter().filter(|it| it.status == status).map(|it| it.logical_id.clone()).collect()
        };
        failed_to("create", &with(ResourceStatus::CreateFailed))
            + &failed_to("update", &with(ResourceStatus::UpdateFailed))
    }

    /// Outputs and exports; then the stack is complete.
    fn finish(&self, phase: StackStatus) -> Result<Stack, ApiError> {
        if self.superseded {
            return self.pass.run.endpoint.store.read(|tx| Stack::of(tx, &self.pass.stack.stack_id));
        }
        self.pass.imports.take_used();
        let exports = |name: &str| Ok(self.pass.imports.get(name));
        let outputs = self.pass.compiled.scope(&self.pass.created, &exports, false).outputs();
        let used = self.pass.imports.take_used();
        let published = outputs.and_then(|outputs| {
            self.pass.run.end_phase(phase, |tx, stack| {
                export::hold(tx, &used)?;
                export::publish(tx, stack, &outputs)?;
                stack.outputs = outputs;
                stack.output_imports = used;
                if phase == StackStatus::CreateInProgress {
                    let target = stack.target.clone();
                    settle(stack, target);
                    return stack.enter(tx, StackStatus::CreateComplete, None);
                }
                stack.enter(tx, StackStatus::UpdateCompleteCleanupInProgress, None)
            })
        });
        match published {
            Err(error) if error.status < 500 => {
                self.pass.run.end_phase(phase, |tx, stack| fail(tx, stack, &error.message))
            }
            other => other,
        }
    }
}

/// What follows a failure, by the stack's own settings.
fn fail(tx: &Tx<'_>, stack: &mut Stack, reason: &str) -> Result<(), ApiError> {
    let creating = stack.status == StackStatus::CreateInProgress;
    let reason = reason.trim_end();
    let asked = format!("{reason} Rollback requested by user.");
    let (status, reason) = match (creating, stack.on_failure) {
        (true, OnFailure::DoNothing) => (StackStatus::CreateFailed, reason.to_owned()),
        (true, OnFailure::Rollback) => (StackStatus::RollbackInProgress, asked),
        (true, OnFailure::Delete) => (StackStatus::DeleteInProgress, format!("{reason} Delete requested by user.")),
        (false, OnFailure::DoNothing) => (StackStatus::UpdateFailed, reason.to_owned()),
        // A stack that never was complete has nothing to go back to.
        (false, _) if stack.stable.is_none() => (StackStatus::RollbackInProgress, asked),
        (false, _) => (StackStatus::UpdateRollbackInProgress, reason.to_owned()),
    };
    stack.enter(tx, status, reason)
}
