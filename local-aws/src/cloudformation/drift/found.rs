//! What was found of resources and stacks, as records and answers hold it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cloudformation::answer::iso;
use crate::cloudformation::resources::Properties;

/// Whether a resource is as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::cloudformation) enum Status {
    InSync,
    Modified,
    Deleted,
}

/// A resource as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudformation) struct Drift {
    pub(in crate::cloudformation) checked_at: DateTime<Utc>,
    /// The properties as CloudFormation has last set them.
    pub(in crate::cloudformation) expected: Properties,
    /// The same as they are; `None` when the resource is gone.
    pub(in crate::cloudformation) actual: Option<Properties>,
}

impl Drift {
    pub(in crate::cloudformation) fn status(&self) -> Status {
        match &self.actual {
            None => Status::Deleted,
            Some(actual) if *actual == self.expected => Status::InSync,
            Some(_) => Status::Modified,
        }
    }

    pub(in crate::cloudformation) fn is_modified(&self) -> bool {
        self.status() == Status::Modified
    }
}

/// What was found of a whole stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudformation) struct StackDrift {
    pub(in crate::cloudformation) checked_at: DateTime<Utc>,
    pub(in crate::cloudformation) is_drifted: bool,
}

impl StackDrift {
    pub(in crate::cloudformation) fn status(&self) -> &'static str {
        if self.is_drifted { "DRIFTED" } else { "IN_SYNC" }
    }
}

/// `DriftInformation` of a stack.
pub(in crate::cloudformation) fn of_stack(drift: Option<&StackDrift>) -> Value {
    match drift {
        Some(drift) => json!({"StackDriftStatus": drift.status(), "LastCheckTimestamp": iso(drift.checked_at)}),
        None => json!({"StackDriftStatus": "NOT_CHECKED"}),
    }
}

/// `DriftInformation` of a resource.
pub(in crate::cloudformation) fn of_resource(drift: Option<&Drift>) -> Value {
    match drift {
        Some(drift) => json!({"StackResourceDriftStatus": drift.status(), "LastCheckTimestamp": iso(drift.checked_at)}),
        None => json!({"StackResourceDriftStatus": "NOT_CHECKED"}),
    }
}
