//! How long CloudFormation takes on AWS for a resource of each type, from the first event about it to the last.
//!
//! Where a figure was seen, its source says where; the others are typical and not verified. None of them is a promise
//! of AWS.

use std::time::Duration;

use serde_json::{Map, Value};

/// What a resource type takes, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// Only resources with this value of this property.
    pub(crate) only: Option<(&'static str, &'static str)>,
    pub(crate) create: u32,
    /// When a resource that is being made is configured, and what refers to it can begin: for types that have been seen to
    /// say so (`DetailedStatus` CONFIGURATION_COMPLETE) before they are complete.
    pub(crate) configured: Option<u32>,
    pub(crate) update: u32,
    pub(crate) delete: u32,
    /// Where the figures are from.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference page shows it"))]
    pub(crate) source: &'static str,
}

impl Times {
    /// Of a resource's creation, update and deletion.
    pub(crate) const fn new(create: u32, update: u32, delete: u32, source: &'static str) -> Self {
        Self { only: None, create, configured: None, update, delete, source }
    }

    /// With the time until a resource that is being made is configured.
    pub(crate) const fn configured(self, after: u32) -> Self {
        Self { configured: Some(after), ..self }
    }

    /// Whether they are those of a resource with these properties.
    pub(super) fn fits(&self, properties: &Map<String, Value>) -> bool {
        self.only.is_none_or(|(property, value)| properties.get(property).is_some_and(|it| it == value))
    }

    pub(super) fn creation(&self) -> Duration {
        Duration::from_secs(self.create.into())
    }

    pub(super) fn configuration(&self) -> Option<Duration> {
        self.configured.map(|seconds| Duration::from_secs(seconds.into()))
    }

    pub(super) fn update(&self) -> Duration {
        Duration::from_secs(self.update.into())
    }

    pub(super) fn deletion(&self) -> Duration {
        Duration::from_secs(self.delete.into())
    }
}

/// A deployment that was rolled back, as the AWS CDK printed it; of several resources of a type, the median.
pub(crate) const LOG: &str =
    "creation and deletion: events of a stack in us-east-1, September 2025; updates typical, not verified";
pub(crate) const CREATED: &str =
    "creation: events of a stack in us-east-1, September 2025; the rest typical, not verified";
pub(crate) const TYPICAL: &str = "typical, not verified";

/// For a type that is not known.
pub(super) const OTHER: Times = Times::new(2, 2, 2, TYPICAL);
