//! The one list of the services, and what goes over all of them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::request::Parts;
use chrono::Utc;

use crate::auth::{Caller, signed_for};
use crate::background;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Call, Door, Operation, Service, Tagged};
use crate::wire::{self, Name};
use crate::{
    cloudformation, dynamodb, ec2, ecr, ecs, events, fis, gate, iam, lambda, logs, quotas, registry, reserve, sqs, sts,
    tagging,
};

const HOUSE_IS_KEPT_EVERY: Duration = Duration::from_secs(60);

/// Between two parts of the room: others come in.
const BETWEEN_STEPS: Duration = Duration::from_millis(20);

/// In the order in which they take up their work: an experiment needs the stacks' resources and the tasks, a stack needs
/// tasks, tables and images, a task needs its table and a network whose addresses are accounted for. ECR deletes the images
/// that nobody runs, so tasks and functions come before it and say which they run. EventBridge comes after what its targets are.
pub(crate) static SERVICES: &[&Service] = &[
    &dynamodb::SERVICE,
    &ec2::SERVICE,
    &ecs::SERVICE,
    &lambda::SERVICE,
    &ecr::SERVICE,
    &events::SERVICE,
    &cloudformation::SERVICE,
    &fis::SERVICE,
    &gate::SERVICE,
    &iam::SERVICE,
    &logs::SERVICE,
    &quotas::SERVICE,
    &sqs::SERVICE,
    &sts::SERVICE,
    &TAGGING,
];

/// What is asked before a request is taken for one of an AWS protocol.
pub(crate) static DOORS: &[Door] = &[registry::DOOR, ecs::DOOR];

/// It shows the resources of all services, so it is above them.
static TAGGING: Service = Service::new(
    "Resource Groups Tagging",
    wire::Service::json("tagging", "1.1", &["ResourceGroupsTaggingAPI_20170126"]),
    tagging::INVALID,
    &[
        Operation::now("GetResources", |call| tagging::get_resources(tagged(&call.endpoint)?, &call.decode()?)),
        Operation::now("GetTagKeys", |call| tagging::get_tag_keys(tagged(&call.endpoint)?, &call.decode()?)),
        Operation::now("GetTagValues", |call| tagging::get_tag_values(tagged(&call.endpoint)?, &call.decode()?)),
    ],
);

/// The service that a request is for.
pub(crate) fn of(parts: &Parts, body: &Bytes) -> Option<&'static Service> {
    let name = Name::of(parts, body)?;
    let mut services = SERVICES.iter().copied();
    if let (Name::Path(_), Some(scope)) = (&name, signed_for(&parts.headers))
        && let Some(service) = services.clone().find(|one| one.wire.is_rest() && one.wire.signing_name == scope)
    {
        return Some(service);
    }
    services.find(|service| service.wire.bears(&name))
}

/// The refusal of a request that was signed for a service, and is for none that is there.
pub(crate) fn unknown(name: &str) -> ApiError {
    let is_there = SERVICES.iter().any(|service| service.wire.signing_name == name);
    ApiError::unsupported(match is_there {
        // As old clients of SQS do, which spoke the query protocol.
        true => format!("The protocol of this request to the service {name}"),
        false => format!("The service {name}"),
    })
}

/// Takes up what an earlier endpoint left unfinished.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    SERVICES.iter().try_for_each(|service| (service.resume)(endpoint))?;
    let endpoint = Arc::downgrade(endpoint);
    background::drive("keeping house", move || keep_house(Weak::clone(&endpoint)));
    Ok(())
}

/// Forgets what is old and gives its room back, again and again.
async fn keep_house(endpoint: Weak<Endpoint>) {
    while let Some(endpoint) = endpoint.upgrade() {
        for service in SERVICES {
            if let Err(error) = endpoint.store.write(|tx| (service.forget)(tx, Utc::now())) {
                tracing::warn!(service = service.title, %error, "what is old was not forgotten");
            }
            tokio::task::yield_now().await;
        }
        while let Ok(true) = endpoint.store.shrink() {
            tokio::time::sleep(BETWEEN_STEPS).await;
        }
        if let Err(error) = reserve::keep(&endpoint.state_dir) {
            tracing::warn!(%error, "there is no room in reserve");
        }
        drop(endpoint);
        tokio::time::sleep(HOUSE_IS_KEPT_EVERY).await;
    }
}

/// Whether the caller may do this: the user may do everything, a role what its policies allow.
///
/// # Errors
/// AWS's for a call that is not allowed.
pub(crate) fn authorize(call: &Call) -> Result<(), ApiError> {
    let Caller::Role { role_arn, session_name } = &call.caller else { return Ok(()) };
    let needs = (call.service.needs)(call)?;
    call.endpoint
        .store
        .read(|tx| {
            needs.into_iter().try_for_each(|need| {
                let need = need.with("sts:RoleSessionName", session_name);
                let policy = (call.service.resource_policy)(tx, &need.resource)?;
                iam::authorize_with(tx, role_arn, &need.action, &need.resource, &need.conditions, policy.as_ref())
            })
        })
        .map_err(|error| match error.code.as_str() {
            "AccessDeniedException" => call.service.wire.access_denied(error),
            _ => error,
        })
}

/// Every tagged resource, in the order of the ARNs. As on AWS, IAM roles are not among them: the tagging API knows
/// IAM's instance profiles, policies and providers, but neither roles nor users.
fn tagged(endpoint: &Endpoint) -> Result<Vec<Tagged>, ApiError> {
    let mut resources = endpoint.store.read(|tx| {
        SERVICES.iter().try_fold(Vec::new(), |mut resources, service| {
            resources.extend((service.tagged)(endpoint, tx)?);
            Ok(resources)
        })
    })?;
    resources.retain(|resource| !resource.tags.is_empty());
    resources.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_role_may_do_what_its_service_lets_it_and_its_policies_allow() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Arc::new(Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap());
        let role = || Caller::Role { role_arn: "arn:aws:iam::000000000000:role/R".into(), session_name: "s".into() };
        let ask = |caller: Caller, service: &'static Service, operation: &str| {
            let operation = service.operation(operation).unwrap();
            let input = json!({"TableName": "T"});
            let call = Call { endpoint: Arc::clone(&endpoint), caller, service, operation, input, body: Bytes::new() };
            authorize(&call)
        };
        assert_eq!(ask(Caller::User, &ec2::SERVICE, "DescribeVpcs"), Ok(()));
        assert_eq!(ask(role(), &sts::SERVICE, "GetCallerIdentity"), Ok(()));
        let refused = ask(role(), &ec2::SERVICE, "DescribeVpcs").unwrap_err();
        assert_eq!((refused.code.as_str(), refused.status), ("UnauthorizedOperation", 403));
        assert!(
            refused.message.contains("assumed-role/R/s is not authorized to perform: ec2:DescribeVpcs"),
            "{refused}"
        );
        let refused = ask(role(), &iam::SERVICE, "GetRole").unwrap_err();
        assert_eq!((refused.code.as_str(), refused.status), ("AccessDenied", 403));
        let refused = ask(role(), &dynamodb::SERVICE, "PutItem").unwrap_err();
        assert!(
            refused.message.contains("assumed-role/R/s is not authorized to perform: dynamodb:PutItem"),
            "{refused}"
        );
    }

    #[test]
    fn the_signature_says_which_rest_service_is_meant_and_else_the_path() {
        let of = |path: &str, authorization: Option<&str>| {
            let mut request = axum::http::Request::builder().uri(path);
            if let Some(scope) = authorization {
                let value =
                    format!("AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{scope}/aws4_request, Signature=0");
                request = request.header("authorization", value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            super::of(&parts, &Bytes::new()).map(|service| service.wire.signing_name)
        };
        assert_eq!(of("/tags/arn", Some("fis")), Some("fis"));
        assert_eq!(of("/nothing/of/the/kind", Some("fis")), Some("fis"));
        assert_eq!(of("/experiments", None), Some("fis"));
        assert_eq!(of("/experiments", Some("ecs")), Some("fis"), "the wrong signature is refused by the right service");
        assert_eq!(of("/nothing/of/the/kind", None), None);
    }

    #[test]
    fn no_two_services_or_operations_have_one_name() {
        let mut names: Vec<&str> = SERVICES.iter().map(|service| service.wire.signing_name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SERVICES.len());
        for service in SERVICES {
            let mut names: Vec<&str> = service.operations.iter().map(|operation| operation.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), service.operations.len(), "{}", service.title);
        }
    }
}
