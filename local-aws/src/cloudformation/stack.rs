//! The record of a stack.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::drift::found::StackDrift;
use super::event::{self, Event, Origin};
use super::refusal::invalid;
use super::schema::Schema;
use super::status::StackStatus;
use super::template::Output;
use crate::error::ApiError;
use crate::store::{Record, Tx};

pub(super) use super::event::Operation;

/// What a stack is made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Target {
    /// Of its [`TemplateText`](super::template_text::TemplateText).
    pub(super) template_id: String,
    pub(super) description: Option<String>,
    /// The values of all parameters as they were given.
    pub(super) parameters: BTreeMap<String, String>,
    /// The same as read calls show them.
    pub(super) shown_parameters: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    pub(super) tags: BTreeMap<String, String>,
}

/// What becomes of a stack whose creation fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OnFailure {
    DoNothing,
    #[default]
    Rollback,
    Delete,
}

impl OnFailure {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::DoNothing => "DO_NOTHING",
            Self::Rollback => "ROLLBACK",
            Self::Delete => "DELETE",
        }
    }
}

/// A stack, alive or deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stack {
    pub(super) stack_id: String,
    pub(super) name: String,
    pub(super) status: StackStatus,
    pub(super) status_reason: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    /// When its deletion, or the rollback of its creation, has begun.
    pub(super) deleted_at: Option<DateTime<Utc>>,
    pub(super) on_failure: OnFailure,
    pub(super) retain_except_on_create: bool,
    pub(super) termination_protection: bool,
    pub(super) deletion_mode: Option<String>,
    /// The change set that the stack was created or last updated by.
    pub(super) change_set_id: Option<String>,
    /// What the stack is, or what the running operation makes of it.
    pub(super) target: Target,
    /// What the stack was when it was last complete: where a failed update goes back to.
    pub(super) stable: Option<Target>,
    /// Operations since then. Resources that one of them has made are new.
    pub(super) unsettled: BTreeSet<String>,
    pub(super) outputs: Vec<Output>,
    /// Exports of other stacks that the outputs use.
    pub(super) output_imports: BTreeSet<String>,
    /// Resources that the running deletion keeps, or the running rollback skips.
    pub(super) spared: BTreeSet<String>,
    /// The latest.
    pub(super) operation: Operation,
    /// What was found when somebody last looked for drift, until the stack is changed.
    #[serde(default)]
    pub(super) drift: Option<StackDrift>,
}

impl Record for Stack {
    const KIND: &'static str = "cloudformation.stack";
    fn id(&self) -> String {
        self.stack_id.clone()
    }
}

/// Which stack bears a name now. Deleted stacks are found by id only.
#[derive(Serialize, Deserialize)]
pub(super) struct LiveName {
    name: String,
    stack_id: String,
}

impl Record for LiveName {
    const KIND: &'static str = "cloudformation.name";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Stack {
    /// A stack that is about to be; nothing is written yet.
    pub(super) fn new(stack_id: String, name: &str, status: StackStatus, operation: Operation) -> Self {
        Self {
            stack_id,
            name: name.to_owned(),
            status,
            status_reason: None,
            created_at: Utc::now(),
            updated_at: None,
            deleted_at: None,
            on_failure: OnFailure::default(),
            retain_except_on_create: false,
            termination_protection: false,
            deletion_mode: None,
            change_set_id: None,
            target: Target::default(),
            stable: None,
            unsettled: BTreeSet::new(),
            outputs: Vec::new(),
            output_imports: BTreeSet::new(),
            spared: BTreeSet::new(),
            operation,
            drift: None,
        }
    }

    /// The stack of this id, or the live one of this name.
    pub(super) fn find(tx: &Tx<'_>, name_or_id: &str) -> Result<Option<Self>, ApiError> {
        if name_or_id.starts_with("arn:") {
            return tx.get(name_or_id);
        }
        match tx.get::<LiveName>(name_or_id)? {
            Some(live) => tx.get(&live.stack_id),
            None => Ok(None),
        }
    }

    /// Every stack that is not deleted. The others stay on record for months.
    pub(super) fn alive(tx: &Tx<'_>) -> Result<Vec<Self>, ApiError> {
        let names = tx.list::<LiveName>()?;
        let stacks = names.iter().map(|live| tx.get(&live.stack_id)).collect::<Result<Vec<Option<Self>>, _>>()?;
        Ok(stacks.into_iter().flatten().collect())
    }

    /// The stack of this id or name.
    ///
    /// # Errors
    /// AWS's `ValidationError` when there is none.
    pub(super) fn of(tx: &Tx<'_>, name_or_id: &str) -> Result<Self, ApiError> {
        Self::find(tx, name_or_id)?.ok_or_else(|| invalid(format!("Stack with id {name_or_id} does not exist")))
    }

    /// Writes the stack, and its name while it is alive.
    pub(super) fn save(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        if self.status == StackStatus::DeleteComplete {
            tx.delete::<LiveName>(&self.name)?;
        } else {
            tx.put(&LiveName { name: self.name.clone(), stack_id: self.stack_id.clone() })?;
        }
        tx.put(self)
    }

    /// Goes to another state and says so in the events.
    pub(super) fn enter(
        &mut self,
        tx: &Tx<'_>,
        status: StackStatus,
        reason: impl Into<Option<String>>,
    ) -> Result<(), ApiError> {
        // A rollback of a creation is a deletion to AWS, too.
        if matches!(status, StackStatus::DeleteInProgress | StackStatus::RollbackInProgress) {
            self.deleted_at = Some(Utc::now());
        }
        self.status = status;
        self.status_reason = reason.into();
        self.save(tx)?;
        event::record(
            tx,
            self.origin(),
            Event {
                logical_id: &self.name,
                physical_id: Some(&self.stack_id),
                resource_type: "AWS::CloudFormation::Stack",
                status: status.as_str(),
                detailed_status: None,
                reason: self.status_reason.as_deref(),
                properties: None,
            },
        )
    }

    /// What events of its latest operation bear.
    pub(super) fn origin(&self) -> Origin<'_> {
        Origin { stack_id: &self.stack_id, stack_name: &self.name, operation: &self.operation }
    }

    /// The tags that a resource gets from the stack, if its type takes any.
    pub(super) fn tags_for(&self, target: &Target, logical_id: &str, schema: &Schema) -> BTreeMap<String, String> {
        if !schema.takes_tags() {
            return BTreeMap::new();
        }
        let mut tags = target.tags.clone();
        for (key, value) in
            [("stack-name", self.name.as_str()), ("stack-id", &self.stack_id), ("logical-id", logical_id)]
        {
            tags.insert(format!("aws:cloudformation:{key}"), value.to_owned());
        }
        tags
    }
}
