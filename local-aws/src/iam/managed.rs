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

/// The document of a managed policy; `None` for one of AWS's own whose statements are not known here. A role may hold it,
/// and what only such a policy could allow is refused by its name.
///
/// # Errors
/// NoSuchEntity for a policy that is not there: only AWS's own are.
pub(super) fn document(arn: &str) -> Result<Option<Document>, ApiError> {
    if let Some((_, text)) = POLICIES.iter().find(|(known, _)| *known == arn) {
        return Document::stored(text, Kind::Identity).map(Some);
    }
    let no_such_entity = |message: String| ApiError::new("NoSuchEntity", message).status(404);
    let Some(name) = arn.strip_prefix("arn:aws:iam::aws:policy/") else {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    };
    // AWSDenyAll and AWSCompromisedKeyQuarantine take away what other policies allow.
    if name.contains("Deny") || name.contains("Quarantine") {
        return Err(no_such_entity(format!(
            "The managed policy {arn} is not supported by the local endpoint; write its statements into Policies, or use one of: {}.",
            POLICIES.iter().map(|(arn, _)| *arn).collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_policy_can_be_evaluated() {
        for (arn, _) in POLICIES {
            assert!(document(arn).unwrap().is_some(), "{arn}");
        }
    }

    #[test]
    fn others_of_aws_may_be_held_unless_they_deny() {
        assert!(document("arn:aws:iam::aws:policy/AdministratorAccess").unwrap().is_none());
        for arn in ["arn:aws:iam::aws:policy/AWSDenyAll", "arn:aws:iam::123456789012:policy/Mine"] {
            assert!(document(arn).unwrap_err().message.contains(arn), "{arn}");
        }
    }
}
