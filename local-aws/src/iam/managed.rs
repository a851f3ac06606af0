//! The policies that AWS keeps, as far as their statements mean something here.

use super::policy::{Document, Kind};
use crate::error::ApiError;

/// Name and document, as AWS publishes it (version v1 and v7).
const POLICIES: &[(&str, &str)] = &[
    (
        "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
        include_str!("managed/AmazonECSTaskExecutionRolePolicy.json"),
    ),
    (
        "arn:aws:iam::aws:policy/service-role/AWSFaultInjectionSimulatorECSAccess",
        include_str!("managed/AWSFaultInjectionSimulatorECSAccess.json"),
    ),
];

/// The document of a managed policy.
///
/// # Errors
/// NoSuchEntity for a policy that is not there: here only AWS's own of the list above are.
pub(super) fn document(arn: &str) -> Result<Document, ApiError> {
    match POLICIES.iter().find(|(known, _)| *known == arn) {
        Some((_, text)) => Document::stored(text, Kind::Identity),
        None if arn.starts_with("arn:aws:iam::aws:policy/") => Err(ApiError::new(
            "NoSuchEntity",
            format!(
                "The managed policy {arn} is not supported by the local endpoint; write its statements into Policies, or use one of: {}.",
                POLICIES.iter().map(|(arn, _)| *arn).collect::<Vec<_>>().join(", ")
            ),
        )
        .status(404)),
        None => Err(ApiError::new("NoSuchEntity", format!("Policy {arn} does not exist or is not attachable.")).status(404)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_policy_can_be_evaluated() {
        for (arn, _) in POLICIES {
            assert!(document(arn).is_ok(), "{arn}");
        }
        assert!(
            document("arn:aws:iam::aws:policy/AdministratorAccess")
                .unwrap_err()
                .message
                .contains("AdministratorAccess")
        );
    }
}
