//! The record of a detection.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::store::Record;

/// One detection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::cloudformation) struct Detection {
    pub(super) id: String,
    pub(in crate::cloudformation) stack_id: String,
    pub(super) started_at: DateTime<Utc>,
    /// Until when AWS would take.
    pub(super) ends_at: Option<DateTime<Utc>>,
    pub(super) drifted: usize,
}

impl Record for Detection {
    const KIND: &'static str = "cloudformation.drift_detection";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Detection {
    pub(super) fn is_over(&self) -> bool {
        self.ends_at.is_none_or(|time| time <= Utc::now())
    }
}
