//! One resource on the way to what the template says: kept, made, changed or replaced.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::pass::Pass;
use super::run::Run;
use super::wait::is_over;
use crate::cloudformation::compiled::refused;
use crate::cloudformation::export;
use crate::cloudformation::resources::{self, Context, Properties, Reading, ResourceType};
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::{ActualState, Configuration, Leftover, StackResource};
use crate::cloudformation::status::ResourceStatus;
use crate::cloudformation::template::Place;
use crate::error::ApiError;
use crate::store::{Record, Tx};
use crate::tag;

/// What has to be done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Keep,
    Create,
    Update,
    Replace { old_first: bool },
}

/// A resource's action and what it leads to.
pub(super) struct Step {
    pub(super) action: Action,
    wanted: ActualState,
    /// It was begun before, by an endpoint that was ended.
    repeated: bool,
    /// It was even done, and only has to be waited for.
    done: bool,
}

/// How far a step has come.
pub(super) enum Carried {
    /// The resource is there, or has failed.
    Out(StackResource),
    /// What refers to the resource can begin; the resource itself has still to be waited for.
    Configured(Step, StackResource),
}

impl Action {
    fn progress(self) -> (ResourceStatus, Option<&'static str>) {
        match self {
            Self::Create => (ResourceStatus::CreateInProgress, None),
            Self::Keep | Self::Update => (ResourceStatus::UpdateInProgress, None),
            Self::Replace { .. } => (
                ResourceStatus::UpdateInProgress,
                Some("Requested update requires the creation of a new physical resource; hence creating one."),
            ),
        }
    }

    fn complete(self) -> ResourceStatus {
        if self == Self::Create { ResourceStatus::CreateComplete } else { ResourceStatus::UpdateComplete }
    }

    fn failed(self) -> ResourceStatus {
        if self == Self::Create { ResourceStatus::CreateFailed } else { ResourceStatus::UpdateFailed }
    }

    fn cancelled(self) -> &'static str {
        if self == Self::Create { "Resource creation cancelled" } else { "Resource update cancelled" }
    }
}

/// Resolves what the template says of the resource, now that all is there that it refers to, and compares.
pub(super) fn decide(pass: &Pass, logical_id: &str) -> Result<Step, ApiError> {
    let declared = &pass.compiled.template.resources[logical_id];
    let schema = pass.run.schemas.get(&declared.resource_type)?;
    pass.imports.take_used();
    let exports = |name: &str| Ok(pass.imports.get(name));
    let scope = pass.compiled.scope(&pass.created, &exports, false);
    let section = Place::root("Resources");
    let resource = section.member(logical_id);
    let properties = schema.prepare(
        &resource.member("Properties"),
        scope.properties(logical_id)?,
        refused(&declared.resource_type).unwrap_or_default(),
        pass.resources.get(logical_id).map(|it| &it.now.properties),
    )?;
    let mut wanted = ActualState {
        properties,
        tags: pass.stack.tags_for(&pass.stack.target, logical_id, &schema),
        depends_on: pass.compiled.dependencies[logical_id].clone(),
        metadata: scope.metadata(logical_id)?,
        imports: pass.imports.take_used(),
        ..ActualState::default()
    };
    let existing = pass.resources.get(logical_id);
    let Some(existing) = existing.filter(|it| it.now.physical_id.is_some() && !it.status.is_gone()) else {
        // A name that CloudFormation generates is not used twice: the first bearer may have been retained.
        wanted.generation = existing.map_or(0, |it| it.now.generation + u32::from(it.status.is_gone()));
        return Ok(Step { action: Action::Create, wanted, repeated: false, done: false });
    };
    if existing.ready_at.is_some() && existing.operation_id == pass.stack.operation.id {
        let creating = existing.status == ResourceStatus::CreateInProgress;
        let action = if creating { Action::Create } else { Action::Update };
        return Ok(Step { action, wanted, repeated: true, done: true });
    }
    let changes = schema.changes(&existing.now.properties, &wanted.properties);
    let action = if changes.iter().any(|change| change.replaces) {
        Action::Replace { old_first: schema.deletes_before_creating() }
    } else if !changes.is_empty()
        || existing.now.tags != wanted.tags
        || existing.now.metadata != wanted.metadata
        || existing.deletion_policy != declared.deletion_policy
        || existing.update_replace_policy != declared.update_replace_policy
        || !existing.status.is_complete()
    {
        Action::Update
    } else {
        Action::Keep
    };
    wanted.generation = existing.now.generation + u32::from(matches!(action, Action::Replace { .. }));
    Ok(Step { action, wanted, repeated: false, done: false })
}

/// Writes that work on the resource begins. A resource that could not even be resolved has failed.
pub(super) fn begin(
    tx: &Tx<'_>,
    pass: &Pass,
    logical_id: &str,
    step: Result<Step, ApiError>,
) -> Result<(Option<Step>, StackResource), ApiError> {
    let stack = &pass.stack;
    let declared = &pass.compiled.template.resources[logical_id];
    let existing = pass.resources.get(logical_id).filter(|it| !it.status.is_gone()).cloned();
    let mut record = existing.unwrap_or_else(|| StackResource::new(stack, logical_id, &declared.resource_type));
    record.deletion_policy = declared.deletion_policy;
    record.update_replace_policy = declared.update_replace_policy;
    let mut step = match step {
        Ok(step) => step,
        Err(error) => {
            let is_there = record.now.physical_id.is_some();
            if is_there && record.before.is_none() {
                record.before = Some(Box::new(record.now.clone()));
            }
            let status = if is_there { Action::Update } else { Action::Create }.failed();
            record.enter(tx, stack, status, Some(&error.message), &Properties::new())?;
            return Ok((None, record));
        }
    };
    if step.done {
        return Ok((Some(step), record));
    }
    if step.action == Action::Keep {
        record.now.depends_on.clone_from(&step.wanted.depends_on);
        record.now.imports.clone_from(&step.wanted.imports);
        tx.put(&record)?;
        return Ok((Some(step), record));
    }
    if step.action == Action::Create {
        // A rollback goes by it even when nothing comes of the creation.
        record.now.depends_on.clone_from(&step.wanted.depends_on);
        record.now.generation = step.wanted.generation;
    } else if record.before.is_none() {
        record.before = Some(Box::new(record.now.clone()));
    }
    if step.action != Action::Update {
        record.pending = Some(Box::new(step.wanted.clone()));
    }
    let (status, reason) = step.action.progress();
    let was_begun = tx.get::<StackResource>(&record.id())?.is_some_and(|it| it.operation_id == stack.operation.id);
    step.repeated = was_begun && record.status == status;
    record.mark(stack, status, reason);
    tx.put(&record)?;
    if !step.repeated {
        record.tell(tx, stack, status, reason, &step.wanted.properties)?;
    }
    Ok((Some(step), record))
}

/// Does it and waits as long as AWS takes, or until the resource is configured, unless another resource fails in the
/// meantime. Whatever comes of it is in the record that it gives.
pub(super) async fn carry_out(
    run: &Run,
    stack: &Stack,
    step: Step,
    record: StackResource,
    cancelled: &watch::Sender<bool>,
) -> Result<Carried, ApiError> {
    let mut record = record;
    let made = if *cancelled.borrow() {
        Err(None)
    } else if step.done {
        Ok(())
    } else {
        match run.endpoint.store.write(|tx| make(tx, run, stack, &step, record.clone())) {
            Ok(made) => {
                record = made;
                Ok(())
            }
            Err(error) => Err(Some(error)),
        }
    };
    let reason = match made {
        Ok(()) if is_configured(run, stack, &step, &mut record, cancelled).await? => {
            return Ok(Carried::Configured(step, record));
        }
        Ok(()) => return stabilize(run, stack, step, record, cancelled).await,
        Err(None) => {
            record.pending = None;
            step.action.cancelled().to_owned()
        }
        Err(Some(error)) => {
            cancelled.send_replace(true);
            // A type that refuses has left nothing; after a failure of the store nobody knows.
            if error.status < 500 {
                record.pending = None;
            }
            error.message
        }
    };
    run.endpoint.store.write(|tx| {
        record.enter(tx, stack, step.action.failed(), Some(&reason), &step.wanted.properties)?;
        Ok(Carried::Out(record))
    })
}

/// Waits for a resource that is configured before it is complete; `false` if it is none, or is not waited for any more.
async fn is_configured(
    run: &Run,
    stack: &Stack,
    step: &Step,
    record: &mut StackResource,
    cancelled: &watch::Sender<bool>,
) -> Result<bool, ApiError> {
    match record.configuration {
        None => Ok(false),
        Some(Configuration::Complete) => Ok(true),
        Some(Configuration::Until(time)) => {
            let is_configured = is_over(run, stack, time, cancelled).await?;
            if is_configured {
                run.endpoint.store.write(|tx| record.configure(tx, stack, &step.wanted.properties))?;
            }
            Ok(is_configured)
        }
    }
}

/// Waits until AWS would find the resource consistent, unless another one fails in the meantime.
pub(super) async fn stabilize(
    run: &Run,
    stack: &Stack,
    step: Step,
    mut record: StackResource,
    cancelled: &watch::Sender<bool>,
) -> Result<Carried, ApiError> {
    let Some(time) = record.ready_at else { return Ok(Carried::Out(record)) };
    let (status, reason) = if is_over(run, stack, time, cancelled).await? {
        (step.action.complete(), None)
    } else {
        (step.action.failed(), Some(step.action.cancelled()))
    };
    run.endpoint.store.write(|tx| {
        record.enter(tx, stack, status, reason, &step.wanted.properties)?;
        Ok(Carried::Out(record))
    })
}

/// The change itself, with record and events: all of it is there or nothing.
fn make(
    tx: &Tx<'_>,
    run: &Run,
    stack: &Stack,
    step: &Step,
    mut record: StackResource,
) -> Result<StackResource, ApiError> {
    let handler = handler(&record.resource_type)?;
    export::hold(tx, &step.wanted.imports)?;
    record.pending = None;
    let old = std::mem::replace(&mut record.now, step.wanted.clone());
    let logical_id = record.logical_id.clone();
    let properties = &step.wanted.properties;
    let times = resources::times(&record.resource_type, properties);
    let typical = match step.action {
        Action::Update => times.update(),
        _ => times.creation(),
    };
    let ready_at = run.endpoint.latency.end_of(typical);
    let tags = match (step.action, &old.physical_id) {
        (Action::Update, Some(physical_id)) => foreign_tags(tx, run, handler, &old, physical_id)?,
        _ => BTreeMap::new(),
    };
    let tags: BTreeMap<String, String> = tags.into_iter().chain(step.wanted.tags.clone()).collect();
    let cx = run.context(tx, stack, &logical_id, &step.wanted);
    let cx = Context { repeated: step.repeated, ready_at, tags: &tags, ..cx };
    match (step.action, &old.physical_id) {
        (Action::Update, Some(physical_id)) => {
            record.now.attributes = handler.update(&cx, physical_id, &old.properties, properties)?;
            record.now.physical_id = Some(physical_id.clone());
        }
        (Action::Replace { old_first }, Some(physical_id)) => {
            refuse_same_name(physical_id, properties)?;
            if old_first {
                handler.delete(&run.context(tx, stack, &logical_id, &old), physical_id, &old.properties)?;
                let is_before = record.before.as_ref().is_some_and(|before| before.physical_id == old.physical_id);
                record.before_is_gone |= is_before;
            }
            let created = handler.create(&cx, properties)?;
            if !old_first {
                let mut leftover = record.clone();
                leftover.now = old.clone();
                leftover.before = None;
                tx.put(&Leftover(leftover))?;
            }
            record.now.physical_id = Some(created.physical_id);
            record.now.attributes = created.attributes;
        }
        _ => {
            let created = handler.create(&cx, properties)?;
            record.now.physical_id = Some(created.physical_id);
            record.now.attributes = created.attributes;
        }
    }
    if step.action != Action::Update {
        record.tell(tx, stack, step.action.progress().0, Some("Resource creation Initiated"), properties)?;
    }
    if ready_at.is_some() {
        record.ready_at = ready_at;
        let configured = times.configuration().filter(|_| step.action != Action::Update);
        let configured_at = configured.and_then(|after| run.endpoint.latency.end_of(after));
        record.configuration = configured_at.map(Configuration::Until);
        tx.put(&record)?;
    } else {
        let remark = cx.remark.take();
        record.enter(tx, stack, step.action.complete(), remark.as_deref(), properties)?;
    }
    Ok(record)
}

/// Tags that neither the stack nor the template has put on the resource: nobody else's are taken away.
pub(super) fn foreign_tags(
    tx: &Tx<'_>,
    run: &Run,
    handler: &dyn ResourceType,
    old: &ActualState,
    physical_id: &str,
) -> Result<BTreeMap<String, String>, ApiError> {
    let schema = run.schemas.get(handler.type_name())?;
    let Some(property) = schema.tag_property() else { return Ok(BTreeMap::new()) };
    let reading = Reading { endpoint: &run.endpoint, tx, physical_id, declared: &old.properties, siblings: &[] };
    let live = handler.live(&reading)?.unwrap_or_default();
    let mut tags = tag::of_property(live.get(property));
    let own = tag::of_property(old.properties.get(property));
    tags.retain(|key, _| !own.contains_key(key) && !old.tags.contains_key(key));
    Ok(tags)
}

/// The old resource still bears the name, so its replacement cannot.
pub(super) fn refuse_same_name(physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
    if properties.values().any(|value| value == physical_id) {
        return Err(ApiError::new(
            "ValidationError",
            format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {physical_id} and update the stack again."
            ),
        ));
    }
    Ok(())
}

/// The type of a resource that is in a record. Templates with other types are refused before they get there.
pub(super) fn handler(resource_type: &str) -> Result<&'static dyn ResourceType, ApiError> {
    resources::find(resource_type).ok_or_else(|| ApiError::unsupported(format!("The resource type {resource_type}")))
}
