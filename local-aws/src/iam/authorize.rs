//! What roles may do, and who may act in them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::policy::{Decision, Document, Kind, Request, evaluate};
use super::role::Role;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// Whether `role_arn` is a role whose trust policy lets `service` (e.g. `ecs-tasks.amazonaws.com`) assume it on
/// behalf of `source_arn` (the resource that it acts for, e.g. the experiment's ARN).
///
/// # Errors
/// AccessDenied with the reason when it does not.
pub(crate) fn assume(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    role_arn: &str,
    service: &str,
    source_arn: &str,
) -> Result<(), ApiError> {
    let denied = |why: String| ApiError::new("AccessDenied", why).status(403);
    let role = Role::with_arn(tx, role_arn)?.ok_or_else(|| denied(format!("The role {role_arn} does not exist.")))?;
    let context = BTreeMap::from([
        ("aws:SourceAccount".to_owned(), endpoint.identity.account_id.clone()),
        ("aws:SourceArn".to_owned(), source_arn.to_owned()),
    ]);
    let trust = Document::stored(&role.trust_policy, Kind::Trust)?;
    let request = Request { action: "sts:AssumeRole", resource: "", principal: service, context: &context };
    match evaluate(&[trust], &request) {
        Decision::Allowed => Ok(()),
        Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => Err(denied(format!(
            "{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn} for {source_arn}: the role's trust policy does not allow it."
        ))),
    }
}

/// Whether the trust policy of `role` lets one of these principals assume it: a user or a role by its ARN, or by that of
/// its account's root, which stands for all of them.
///
/// # Errors
/// AccessDenied when it does not.
pub(crate) fn may_assume(role: &Role, principals: &[String]) -> Result<(), ApiError> {
    let trust = [Document::stored(&role.trust_policy, Kind::Trust)?];
    let context = BTreeMap::new();
    let decisions: Vec<Decision> = principals
        .iter()
        .map(|principal| Request { action: "sts:AssumeRole", resource: "", principal, context: &context })
        .map(|request| evaluate(&trust, &request))
        .collect();
    if decisions.contains(&Decision::Allowed) && !decisions.contains(&Decision::ExplicitlyDenied) {
        return Ok(());
    }
    let user = principals.first().map_or("", String::as_str);
    let message = format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {}", role.arn);
    Err(ApiError::new("AccessDenied", message).status(403))
}

/// A service of AWS that acts for a resource: `events.amazonaws.com` for a rule.
pub(crate) struct Principal<'a> {
    pub(crate) service: &'a str,
    /// The ARN of the resource.
    pub(crate) source_arn: &'a str,
}

/// Whether the policy of a resource lets a service do `action` with it.
///
/// # Errors
/// When the policy is none that [`check_resource_policy`] takes.
pub(crate) fn allows_service(
    policy: &Value,
    principal: &Principal<'_>,
    action: &str,
    resource: &str,
) -> Result<bool, ApiError> {
    let context = BTreeMap::from([
        ("aws:SourceAccount".to_owned(), account_of(principal.source_arn).to_owned()),
        ("aws:SourceArn".to_owned(), principal.source_arn.to_owned()),
    ]);
    let policy = [Document::parse(policy, Kind::Resource)?];
    let request = Request { action, resource, principal: principal.service, context: &context };
    Ok(evaluate(&policy, &request) == Decision::Allowed)
}

/// Refuses a policy that no resource may have.
///
/// # Errors
/// MalformedPolicyDocument.
pub(crate) fn check_resource_policy(policy: &Value) -> Result<(), ApiError> {
    Document::parse(policy, Kind::Resource).map(drop)
}

/// Whether the policies of `role_arn` allow `action` (e.g. `dynamodb:PutItem`) on `resource` (an ARN, or `*` for
/// actions without resource); `context` holds condition keys, e.g. `ecs:cluster`. The key `sts:RoleSessionName`
/// names the session in the error's text.
///
/// # Errors
/// AWS's AccessDeniedException text when they do not.
pub(crate) fn authorize(
    tx: &Tx<'_>,
    role_arn: &str,
    action: &str,
    resource: &str,
    context: &BTreeMap<String, String>,
) -> Result<(), ApiError> {
    authorize_with(tx, role_arn, action, resource, context, None)
}

/// The same with the policy of the resource, if it has one: within an account, either of the two allows, and either denies.
///
/// # Errors
/// As [`authorize`].
pub(crate) fn authorize_with(
    tx: &Tx<'_>,
    role_arn: &str,
    action: &str,
    resource: &str,
    context: &BTreeMap<String, String>,
    resource_policy: Option<&Value>,
) -> Result<(), ApiError> {
    let user = assumed_role_arn(role_arn, context.get("sts:RoleSessionName").map(String::as_str));
    let Some(role) = Role::with_arn(tx, role_arn)? else {
        return Err(access_denied(format!(
            "User: {user} is not authorized to perform: {action} on resource: {resource} because the role does not exist"
        )));
    };
    let mut context = context.clone();
    context.insert("aws:PrincipalArn".to_owned(), role_arn.to_owned());
    context.insert("aws:PrincipalAccount".to_owned(), account_of(role_arn).to_owned());
    let request = Request { action, resource, principal: "", context: &context };
    let of_resource = match resource_policy {
        Some(policy) => of_resource(policy, &request, role_arn, &user)?,
        None => Decision::ImplicitlyDenied,
    };
    let of_identity = evaluate(&role.identity_policies()?, &request);
    // What a role uses is what its policies have to allow: this is how to find out.
    tracing::debug!(role = %role_arn, %action, %resource, ?of_identity, ?of_resource, "authorize");
    let reason = match (of_identity, of_resource) {
        (Decision::Allowed, Decision::Allowed | Decision::ImplicitlyDenied)
        | (Decision::ImplicitlyDenied, Decision::Allowed) => return Ok(()),
        (Decision::ExplicitlyDenied, _) => "with an explicit deny in an identity-based policy".to_owned(),
        (_, Decision::ExplicitlyDenied) => "with an explicit deny in a resource-based policy".to_owned(),
        (Decision::ImplicitlyDenied, Decision::ImplicitlyDenied) => match role.unknown_policies()?.as_slice() {
            [] => format!("because no identity-based policy allows the {action} action"),
            unknown => format!(
                "because no identity-based policy that the local endpoint knows allows the {action} action; it does not know what {} allows",
                unknown.join(", ")
            ),
        },
    };
    Err(access_denied(format!("User: {user} is not authorized to perform: {action} on resource: {resource} {reason}")))
}

/// What the policy of a resource says of a role, which it may name by the role, by its session, or by its account. The last
/// leaves it to the account what its roles may do, but a denial is meant for all of them.
fn of_resource(policy: &Value, request: &Request<'_>, role_arn: &str, session: &str) -> Result<Decision, ApiError> {
    let policy = [Document::parse(policy, Kind::Resource)?];
    let decide = |principal: &str| evaluate(&policy, &Request { principal, ..*request });
    let root = format!("arn:aws:iam::{}:root", account_of(role_arn));
    let own = [role_arn, session].map(decide);
    Ok(if own.contains(&Decision::ExplicitlyDenied) || decide(&root) == Decision::ExplicitlyDenied {
        Decision::ExplicitlyDenied
    } else if own.contains(&Decision::Allowed) {
        Decision::Allowed
    } else {
        Decision::ImplicitlyDenied
    })
}

// The JSON services answer 400 here, DynamoDB included.
fn access_denied(message: String) -> ApiError {
    ApiError::new("AccessDeniedException", message)
}

/// How AWS names who acts in a role: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
pub(crate) fn assumed_role_arn(role_arn: &str, session_name: Option<&str>) -> String {
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    let session = session_name.map(|name| format!("/{name}")).unwrap_or_default();
    format!("arn:aws:sts::{}:assumed-role/{role}{session}", account_of(role_arn))
}

fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}
