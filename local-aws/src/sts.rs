//! Security Token Service: who am I, and acting as somebody else.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{Caller, Session};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::role::Role;
use crate::iam::{assumed_role_arn, may_assume, user_id};
use crate::service::{Call, Need, Operation, Service};
use crate::store::Tx;
use crate::wire::{self, number};

/// Seconds that a session lasts unless somebody asks for another time, and the least and the most that one may ask for.
const USUAL_SECONDS: i64 = 3_600;
const LEAST_SECONDS: i64 = 900;
const MOST_SECONDS: i64 = 43_200;

pub(crate) static SERVICE: Service = Service {
    needs,
    forget,
    ..Service::new(
        "STS",
        wire::Service::query("sts", "https://sts.amazonaws.com/doc/2011-06-15/").global(),
        "ValidationError",
        &[
            Operation::now("AssumeRole", |call| assume_role(&call.endpoint, &call.caller, call.decode()?)),
            Operation::now("GetCallerIdentity", |call| get_caller_identity(&call.endpoint, &call.caller)),
        ],
    )
};

/// Everybody may ask who he is.
fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    match (call.operation.name, call.input["RoleArn"].as_str()) {
        ("AssumeRole", role) => Ok(vec![Need::of(call, role.unwrap_or("*"))]),
        _ => Ok(Vec::new()),
    }
}

/// Sessions that are over.
fn forget(tx: &Tx<'_>, now: DateTime<Utc>) -> Result<(), ApiError> {
    let mut over = tx.list::<Session>()?.into_iter().filter(|session| session.expires_at < now);
    over.try_for_each(|session| tx.delete::<Session>(&session.access_key_id).map(drop))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    #[serde(default, deserialize_with = "number")]
    duration_seconds: Option<i64>,
}

fn assume_role(endpoint: &Endpoint, caller: &Caller, input: AssumeRole) -> Result<Value, ApiError> {
    let AssumeRole { role_arn, role_session_name: name, duration_seconds } = input;
    let invalid = |message: String| ApiError::new("ValidationError", message);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(is_name) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: \
             2 to 64 letters, digits or any of _+=,.@-"
        )));
    }
    let seconds = duration_seconds.unwrap_or(USUAL_SECONDS);
    if !(LEAST_SECONDS..=MOST_SECONDS).contains(&seconds) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: \
             {LEAST_SECONDS} to {MOST_SECONDS}"
        )));
    }
    let principals = principals(endpoint, caller);
    endpoint.store.write(|tx| {
        // AWS does not say whether there is such a role.
        let role = Role::with_arn(tx, &role_arn)?.ok_or_else(|| {
            let user = principals.first().map_or("", String::as_str);
            let message = format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
            ApiError::new("AccessDenied", message).status(403)
        })?;
        may_assume(&role, &principals)?;
        if seconds > role.max_session_duration {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(invalid(message.to_owned()));
        }
        let session = Session::new(role_arn, name, Utc::now() + TimeDelta::seconds(seconds));
        tx.put(&session)?;
        Ok(json!({
            "Credentials": {
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "SessionToken": session.session_token,
                "Expiration": session.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            },
            "AssumedRoleUser": {
                "AssumedRoleId": format!("{}:{}", role.role_id, session.session_name),
                "Arn": assumed_role_arn(&role.arn, Some(&session.session_name)),
            },
        }))
    })
}

/// As whom a trust policy may name the caller, first as AWS's messages do; the root stands for the whole account.
fn principals(endpoint: &Endpoint, caller: &Caller) -> Vec<String> {
    let root = format!("arn:aws:iam::{}:root", endpoint.identity.account_id);
    match caller {
        Caller::User => vec![endpoint.identity.user_arn(), root],
        Caller::Role { role_arn, session_name } => {
            vec![assumed_role_arn(role_arn, Some(session_name)), role_arn.clone(), root]
        }
    }
}

fn get_caller_identity(endpoint: &Endpoint, caller: &Caller) -> Result<Value, ApiError> {
    let account = &endpoint.identity.account_id;
    let arn = match caller {
        Caller::User => endpoint.identity.user_arn(),
        Caller::Role { role_arn, session_name } => assumed_role_arn(role_arn, Some(session_name)),
    };
    let user_id = endpoint.store.read(|tx| user_id(tx, caller))?;
    Ok(json!({"Account": account, "Arn": arn, "UserId": user_id}))
}
