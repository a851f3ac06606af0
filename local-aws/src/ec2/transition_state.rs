//! Resources that take their time to come and to go, as read calls show them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Whether a resource is on its way.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct TransitionState {
    #[serde(default)]
    ready_at: Option<DateTime<Utc>>,
    #[serde(default)]
    is_going: bool,
}

impl TransitionState {
    /// On its way until that time.
    pub(crate) fn until(ready_at: Option<DateTime<Utc>>) -> Self {
        Self { ready_at, is_going: false }
    }

    /// From now on, on its way out.
    pub(crate) fn leave(&mut self) {
        self.is_going = true;
    }

    /// `pending`, `available` or `deleting`.
    pub(crate) fn state(self) -> &'static str {
        match self.ready_at {
            _ if self.is_going => "deleting",
            Some(time) if Utc::now() < time => "pending",
            _ => "available",
        }
    }
}
