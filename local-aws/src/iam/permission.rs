//! What a role must be allowed for a call of IAM: which action on which role.

use crate::error::ApiError;
use crate::service::{Call, Need};

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    let role = |name: &str| format!("arn:aws:iam::{}:role/{name}", call.endpoint.identity.account_id);
    let need = match call.operation.name {
        "CreateServiceLinkedRole" => {
            let service = text("AWSServiceName").unwrap_or_default();
            Need::of(call, role(&format!("aws-service-role/{service}/*"))).with("iam:AWSServiceName", service)
        }
        "SimulatePrincipalPolicy" => Need::of(call, text("PolicySourceArn").unwrap_or("*")),
        _ => Need::of(call, text("RoleName").map_or_else(|| "*".to_owned(), role)),
    };
    Ok(vec![need])
}
