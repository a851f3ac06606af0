//! DescribeStackDriftDetectionStatus and DescribeStackResourceDrifts.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::detection::Detection;
use super::differences::differences;
use super::found::{Drift, Status};
use crate::cloudformation::answer::{iso, listed, page_of};
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::StackResource;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct DetectionInput {
    stack_drift_detection_id: String,
}

pub(in crate::cloudformation) fn describe_stack_drift_detection_status(
    endpoint: &Arc<Endpoint>,
    input: DetectionInput,
) -> Result<Value, ApiError> {
    let id = &input.stack_drift_detection_id;
    let detection = endpoint.store.read(|tx| tx.get::<Detection>(id))?;
    // The words are inferred from those of other ids.
    let detection = detection.ok_or_else(|| invalid(format!("Drift detection with id [{id}] does not exist")))?;
    let mut shown = json!({
        "StackId": detection.stack_id,
        "StackDriftDetectionId": detection.id,
        "Timestamp": iso(detection.started_at),
    });
    if detection.is_over() {
        shown["DetectionStatus"] = json!("DETECTION_COMPLETE");
        shown["StackDriftStatus"] = json!(if detection.drifted > 0 { "DRIFTED" } else { "IN_SYNC" });
        shown["DriftedStackResourceCount"] = json!(detection.drifted);
    } else {
        shown["DetectionStatus"] = json!("DETECTION_IN_PROGRESS");
        shown["DetectionStatusReason"] = json!("User Initiated");
    }
    Ok(shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ResourceDriftsInput {
    stack_name: String,
    #[serde(default, deserialize_with = "crate::wire::list")]
    stack_resource_drift_status_filters: Vec<String>,
    next_token: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::number")]
    max_results: Option<i64>,
}

pub(in crate::cloudformation) fn describe_stack_resource_drifts(
    endpoint: &Arc<Endpoint>,
    input: ResourceDriftsInput,
) -> Result<Value, ApiError> {
    let filters = input.stack_resource_drift_status_filters;
    for filter in &filters {
        if !["IN_SYNC", "MODIFIED", "DELETED", "NOT_CHECKED", "UNKNOWN", "UNSUPPORTED"].contains(&filter.as_str()) {
            return Err(invalid(format!(
                "1 validation error detected: Value '[{filter}]' at 'stackResourceDriftStatusFilters' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [IN_SYNC, MODIFIED, DELETED, NOT_CHECKED]]"
            )));
        }
    }
    let resources = endpoint.store.read(|tx| {
        let stack = Stack::of(tx, &input.stack_name)?;
        StackResource::all(tx, &stack.stack_id)
    })?;
    // Those that were never looked at are not in the list, as on AWS.
    let checked = resources.values().filter_map(|it| Some((it, it.drift.as_ref()?)));
    let wanted =
        checked.filter(|(_, drift)| filters.is_empty() || filters.iter().any(|it| json!(drift.status()) == **it));
    let limit = match input.max_results.map(usize::try_from) {
        None => 100,
        Some(Ok(limit @ 1..=100)) => limit,
        Some(_) => {
            return Err(invalid(
                "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 100",
            ));
        }
    };
    let (found, next) = page_of(wanted.collect(), |(it, _)| it.logical_id.clone(), input.next_token.as_deref(), limit)?;
    Ok(listed("StackResourceDrifts", found.into_iter().map(|(it, drift)| shown(it, drift)).collect(), next))
}

/// A `StackResourceDrift`.
pub(super) fn shown(resource: &StackResource, drift: &Drift) -> Value {
    let mut shown = json!({
        "StackId": resource.stack_id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.now.physical_id,
        "ResourceType": resource.resource_type,
        "StackResourceDriftStatus": drift.status(),
        "Timestamp": iso(drift.checked_at),
    });
    if let Some(actual) = &drift.actual {
        shown["ExpectedProperties"] = json!(json!(drift.expected).to_string());
        shown["ActualProperties"] = json!(json!(actual).to_string());
        shown["PropertyDifferences"] = json!(differences(&drift.expected, actual));
    }
    if drift.status() == Status::InSync {
        // AWS's example has an empty list there.
        shown["PropertyDifferences"] = json!([]);
    }
    shown
}
