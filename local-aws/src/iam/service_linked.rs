//! Roles that services have for themselves: ECS's and FIS's.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::read::summary;
use super::role::{Role, Settings};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// The services with such a role, its name, and AWS's description of it.
const ROLES: [(&str, &str, &str); 2] = [
    ("ecs.amazonaws.com", "AWSServiceRoleForECS", "Role to enable Amazon ECS to manage your cluster."),
    ("fis.amazonaws.com", "AWSServiceRoleForFIS", "Role to enable AWS FIS to manage your experiments."),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateServiceLinkedRole {
    #[serde(rename = "AWSServiceName")]
    service: String,
    #[serde(rename = "Description")]
    description: Option<String>,
    #[serde(rename = "CustomSuffix")]
    custom_suffix: Option<String>,
}

pub(super) fn create_service_linked_role(
    endpoint: &Endpoint,
    input: CreateServiceLinkedRole,
) -> Result<Value, ApiError> {
    let invalid = |message: String| ApiError::new("InvalidInput", message);
    if input.custom_suffix.is_some() {
        return Err(invalid(format!("Custom suffix is not allowed for {}", input.service)));
    }
    endpoint.store.write(|tx| {
        let name = name_of(&input.service).ok_or_else(|| {
            invalid(format!(
                "Service {} is not known to the local endpoint, which has service-linked roles for ecs.amazonaws.com and fis.amazonaws.com.",
                input.service
            ))
        })?;
        if Role::named(tx, name).is_ok() {
            return Err(invalid(format!(
                "Service role name {name} has been taken in this account, please try a different suffix."
            )));
        }
        let role = create(endpoint, tx, &input.service, input.description)?;
        Ok(json!({"Role": summary(&role)}))
    })
}

/// Makes the role of this service at its first use, as AWS does.
pub(crate) fn ensure(endpoint: &Endpoint, tx: &Tx<'_>, service: &str) -> Result<(), ApiError> {
    match name_of(service) {
        Some(name) if Role::named(tx, name).is_err() => create(endpoint, tx, service, None).map(|_| ()),
        _ => Ok(()),
    }
}

fn name_of(service: &str) -> Option<&'static str> {
    ROLES.iter().find(|(known, ..)| *known == service).map(|(_, name, _)| *name)
}

/// Makes the role. AWS attaches a policy of the service's own, which nobody but the service uses; here it has none.
fn create(endpoint: &Endpoint, tx: &Tx<'_>, service: &str, description: Option<String>) -> Result<Role, ApiError> {
    let (_, name, usual) = ROLES
        .iter()
        .find(|(known, ..)| *known == service)
        .ok_or_else(|| ApiError::internal(format!("{service} has no service-linked role")))?;
    let trust_policy = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    });
    let settings = Settings {
        trust_policy,
        description: Some(description.unwrap_or_else(|| (*usual).to_owned())),
        max_session_duration: 3600,
        attached: Vec::new(),
        tags: BTreeMap::new(),
    };
    Role::create(endpoint, tx, name, &format!("/aws-service-role/{service}/"), settings)
}
