//! What FIS has resolved the targets of an experiment to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::clients::Clients;
use crate::error::{Doing, Result};

/// A resource that is a target.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ResolvedTarget {
    /// The template's name for the target.
    pub(crate) target_name: String,
    pub(crate) resource_type: String,
    /// What FIS says of the resource. AWS documents no keys; the local endpoint says `arn`.
    pub(crate) target_information: BTreeMap<String, String>,
}

/// Every target, once the experiment is over.
pub(crate) async fn resolved_targets(clients: &Clients, id: &str) -> Result<Vec<ResolvedTarget>> {
    let pages = clients.fis.list_experiment_resolved_targets().experiment_id(id).into_paginator().items().send();
    let found = pages.collect::<std::result::Result<Vec<_>, _>>().await;
    let found = found.doing(format_args!("Listing the targets of the experiment {id}"))?;
    let target = |found: aws_sdk_fis::types::ResolvedTarget| ResolvedTarget {
        target_name: found.target_name.unwrap_or_default(),
        resource_type: found.resource_type.unwrap_or_default(),
        target_information: found.target_information.unwrap_or_default().into_iter().collect(),
    };
    Ok(found.into_iter().map(target).collect())
}
