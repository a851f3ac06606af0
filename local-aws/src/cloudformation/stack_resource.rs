//! The record of a stack's resource.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::drift::found::Drift;
use super::event::{self, Event};
use super::resources::{Created, Properties};
use super::stack::Stack;
use super::status::ResourceStatus;
use super::template::DeletionPolicy;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A resource as it really is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ActualState {
    /// None until it has been made.
    pub(super) physical_id: Option<String>,
    /// Resolved, and in the schema's types.
    pub(super) properties: Properties,
    pub(super) attributes: Properties,
    /// From the stack.
    pub(super) tags: BTreeMap<String, String>,
    /// Counts the replacements.
    pub(super) generation: u32,
    pub(super) depends_on: BTreeSet<String>,
    /// Exports of other stacks that the properties use.
    pub(super) imports: BTreeSet<String>,
    pub(super) metadata: Option<Value>,
}

/// How far a resource is that AWS has still to find consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Configuration {
    /// It is being configured, until then.
    Until(DateTime<Utc>),
    /// It is as the template says: what refers to it can begin.
    Complete,
}

/// A logical resource of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StackResource {
    pub(super) stack_id: String,
    pub(super) logical_id: String,
    pub(super) resource_type: String,
    pub(super) status: ResourceStatus,
    pub(super) status_reason: Option<String>,
    pub(super) changed_at: DateTime<Utc>,
    /// The operation that the status is from.
    pub(super) operation_id: String,
    /// The operation that added the logical resource to the stack.
    pub(super) added_by: String,
    pub(super) deletion_policy: DeletionPolicy,
    pub(super) update_replace_policy: DeletionPolicy,
    pub(super) now: ActualState,
    /// What has been begun and is not known to be done. Not all that a type makes is in the engine's transaction.
    pub(super) pending: Option<Box<ActualState>>,
    /// When what has been begun is over. AWS takes its time, and a restart neither shortens nor repeats it.
    #[serde(default)]
    pub(super) ready_at: Option<DateTime<Utc>>,
    /// Of a resource that is being made, for types that are configured before they are complete.
    #[serde(default)]
    pub(super) configuration: Option<Configuration>,
    /// What it was when the stack was last complete, if an operation has changed it since.
    pub(super) before: Option<Box<ActualState>>,
    /// Set where the old resource had to go before the new one could come: going back means making it again.
    pub(super) before_is_gone: bool,
    /// What was found when somebody last looked for drift, until an operation changes the resource.
    #[serde(default)]
    pub(super) drift: Option<Drift>,
}

impl Record for StackResource {
    const KIND: &'static str = "cloudformation.resource";
    fn id(&self) -> String {
        format!("{}/{}", self.stack_id, self.logical_id)
    }
}

/// A physical resource that has been replaced, until the operation's clean-up deletes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Leftover(pub(super) StackResource);

impl Record for Leftover {
    const KIND: &'static str = "cloudformation.leftover";
    fn id(&self) -> String {
        format!("{}/{}/{:08}", self.0.stack_id, self.0.logical_id, self.0.now.generation)
    }
}

impl StackResource {
    /// A resource that is about to be made.
    pub(super) fn new(stack: &Stack, logical_id: &str, resource_type: &str) -> Self {
        Self {
            stack_id: stack.stack_id.clone(),
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            status: ResourceStatus::CreateInProgress,
            status_reason: None,
            changed_at: Utc::now(),
            operation_id: stack.operation.id.clone(),
            added_by: stack.operation.id.clone(),
            deletion_policy: DeletionPolicy::default(),
            update_replace_policy: DeletionPolicy::default(),
            now: ActualState::default(),
            pending: None,
            ready_at: None,
            configuration: None,
            before: None,
            before_is_gone: false,
            drift: None,
        }
    }

    /// The resources of a stack by logical id.
    pub(super) fn all(tx: &Tx<'_>, stack_id: &str) -> Result<BTreeMap<String, Self>, ApiError> {
        let records = tx.list_prefix::<Self>(&format!("{stack_id}/"))?;
        Ok(records.into_iter().map(|record| (record.logical_id.clone(), record)).collect())
    }

    /// What `Ref` and `Fn::GetAtt` see of it, once it is there.
    pub(super) fn created(&self) -> Option<Created> {
        let physical_id = self.now.physical_id.clone()?;
        Some(Created { physical_id, attributes: self.now.attributes.clone() })
    }

    /// Goes to another state and says so in the events.
    pub(super) fn enter(
        &mut self,
        tx: &Tx<'_>,
        stack: &Stack,
        status: ResourceStatus,
        reason: Option<&str>,
        properties: &Properties,
    ) -> Result<(), ApiError> {
        self.mark(stack, status, reason);
        tx.put(self)?;
        self.tell(tx, stack, status, reason, properties)
    }

    /// Goes to another state; neither written nor told yet.
    pub(super) fn mark(&mut self, stack: &Stack, status: ResourceStatus, reason: Option<&str>) {
        self.status = status;
        self.status_reason = reason.map(str::to_owned);
        self.changed_at = Utc::now();
        self.ready_at = None;
        self.configuration = None;
        self.drift = None;
        self.operation_id.clone_from(&stack.operation.id);
    }

    /// Writes an event about it.
    pub(super) fn tell(
        &self,
        tx: &Tx<'_>,
        stack: &Stack,
        status: ResourceStatus,
        reason: Option<&str>,
        properties: &Properties,
    ) -> Result<(), ApiError> {
        event::record(tx, stack.origin(), Event { reason, ..self.event(status, properties) })
    }

    /// It is configured, and says so in the events.
    pub(super) fn configure(&mut self, tx: &Tx<'_>, stack: &Stack, properties: &Properties) -> Result<(), ApiError> {
        self.configuration = Some(Configuration::Complete);
        tx.put(self)?;
        let event = Event {
            detailed_status: Some("CONFIGURATION_COMPLETE"),
            reason: Some("Eventual consistency check initiated"),
            ..self.event(self.status, properties)
        };
        event::record(tx, stack.origin(), event)
    }

    fn event<'a>(&'a self, status: ResourceStatus, properties: &'a Properties) -> Event<'a> {
        Event {
            logical_id: &self.logical_id,
            physical_id: self.now.physical_id.as_deref(),
            resource_type: &self.resource_type,
            status: status.as_str(),
            detailed_status: None,
            reason: None,
            properties: Some(properties),
        }
    }
}
