//! The account's safety lever: engaged, it ends all experiments and lets no new one begin.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::store::{Record, Tx};

/// There is one in each account and region.
pub(super) const ID: &str = "default";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Disengaged,
    Engaged,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SafetyLever {
    pub(super) status: Status,
    pub(super) reason: String,
}

impl Record for SafetyLever {
    const KIND: &'static str = "fis.safety-lever";
    fn id(&self) -> String {
        ID.to_owned()
    }
}

/// The lever as it stands.
pub(super) fn load(tx: &Tx<'_>) -> Result<SafetyLever, ApiError> {
    let initial = || SafetyLever { status: Status::Disengaged, reason: "Initial state".to_owned() };
    Ok(tx.get(ID)?.unwrap_or_else(initial))
}

/// Whether it is engaged.
pub(super) fn is_engaged(tx: &Tx<'_>) -> Result<bool, ApiError> {
    Ok(load(tx)?.status == Status::Engaged)
}
