//! Makes the stack what its template says, in parallel where dependencies allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::pass::Pass;
use super::run::{Run, failed_to, settle};
use super::step::{self, Action, Carried, Step};
use crate::cloudformation::compiled::Compiled;
use crate::cloudformation::export::{self, Imports};
use crate::cloudformation::stack::{OnFailure, Stack};
use crate::cloudformation::stack_resource::StackResource;
use crate::cloudformation::status::{ResourceStatus, StackStatus};
use crate::cloudformation::template_text::TemplateText;
use crate::error::ApiError;
use crate::store::Tx;

/// One run through the template.
struct Apply {
    pass: Pass,
    started: BTreeSet<String>,
    /// Resources that others can refer to, but that are not complete.
    configured: BTreeSet<String>,
    /// A call has given the stack something else to do.
    superseded: bool,
    /// Set when the first resource fails: those under way are cancelled.
    cancelled: Arc<watch::Sender<bool>>,
}

/// The phase CREATE_IN_PROGRESS or UPDATE_IN_PROGRESS.
pub(super) async fn apply(run: &Run, stack: Stack) -> Result<Stack, ApiError> {
    let phase = stack.status;
    let (text, resources, imports) = run.endpoint.store.read(|tx| {
        let text = TemplateText::of(tx, &stack.target)?;
        Ok((text, StackResource::all(tx, &stack.stack_id)?, Imports::load(tx)?))
    })?;
    let compiled = Compiled::of(&run.endpoint, &stack, &stack.target, &text)?;
    let mut apply = Apply {
        pass: Pass { run: run.clone(), stack, compiled, imports, resources, created: BTreeMap::new() },
        started: BTreeSet::new(),
        configured: BTreeSet::new(),
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
        let mut running: JoinSet<Result<Carried, ApiError>> = JoinSet::new();
        loop {
            while !self.superseded && !*self.cancelled.borrow() {
                let ready = self.ready();
                if ready.is_empty() {
                    break;
                }
                for (step, record) in self.begin(&ready)? {
                    let (run, stack, cancelled) = self.of_a_step();
                    running.spawn(async move { step::carry_out(&run, &stack, step, record, &cancelled).await });
                }
            }
            let Some(carried) = running.join_next().await else { return Ok(()) };
            match carried.map_err(|error| ApiError::internal(format!("A resource's step was cut short: {error}")))?? {
                Carried::Out(record) => {
                    self.configured.remove(&record.logical_id);
                    self.note(record);
                }
                Carried::Configured(step, record) => {
                    self.configured.insert(record.logical_id.clone());
                    self.note(record.clone());
                    let (run, stack, cancelled) = self.of_a_step();
                    running.spawn(async move { step::stabilize(&run, &stack, step, record, &cancelled).await });
                }
            }
        }
    }

    /// What the work on one resource needs of the whole.
    fn of_a_step(&self) -> (Run, Stack, Arc<watch::Sender<bool>>) {
        (self.pass.run.clone(), self.pass.stack.clone(), Arc::clone(&self.cancelled))
    }

    /// Resources whose turn it is.
    fn ready(&self) -> Vec<String> {
        let Compiled { dependencies, template, .. } = &self.pass.compiled;
        let is_ready = |(logical_id, needs): &(&String, &BTreeSet<String>)| {
            let waits_for_the_end = template.resources[*logical_id].waits_for_the_end();
            let is_there = |need: &String| {
                self.pass.created.contains_key(need) && !(waits_for_the_end && self.configured.contains(need))
            };
            !self.started.contains(*logical_id) && needs.iter().all(is_there)
        };
        dependencies.iter().filter(is_ready).map(|(logical_id, _)| logical_id.clone()).collect()
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
