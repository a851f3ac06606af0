//! The credentials of a task's role.

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::task::Task;
use crate::auth::Session;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// Lifetime of credentials, as on Fargate.
const LIFETIME: TimeDelta = TimeDelta::hours(6);

/// Credentials with less than this left are replaced. SDKs refresh up to 15 minutes before the end.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(30);

/// The way from the secret name in the addresses to the task, and the sessions made for it.
#[derive(Serialize, Deserialize)]
pub(super) struct TaskCredentials {
    id: String,
    pub(super) task: String,
    sessions: Vec<String>,
}

impl Record for TaskCredentials {
    const KIND: &'static str = "ecs.access";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl TaskCredentials {
    pub(super) fn of(task: &Task) -> Self {
        Self { id: task.access_id.clone(), task: task.id(), sessions: Vec::new() }
    }

    /// Ends it: the credentials are worth nothing from now on.
    pub(super) fn revoke(tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
        if let Some(access) = tx.get::<Self>(&task.access_id)? {
            for session in &access.sessions {
                tx.delete::<Session>(session)?;
            }
            tx.delete::<Self>(&access.id)?;
        }
        Ok(())
    }
}

/// The task's credentials under the secret name: those that it has, or new ones.
pub(super) fn credentials(endpoint: &Endpoint, id: &str) -> Result<Value, ApiError> {
    let unknown = || ApiError::new("InvalidIdInRequest", "CredentialsV2Request: Credentials not found").status(404);
    endpoint.store.write(|tx| {
        let mut access = tx.get::<TaskCredentials>(id)?.ok_or_else(unknown)?;
        let task = tx.get::<Task>(&access.task)?.ok_or_else(unknown)?;
        let role_arn = task.role_arn.ok_or_else(unknown)?;
        let now = Utc::now();
        let newest = access.sessions.last().map(|key| tx.get::<Session>(key)).transpose()?.flatten();
        let session = match newest.filter(|session| session.expires_at - now > RENEW_BEFORE) {
            Some(session) => session,
            None => {
                let session = Session::new(role_arn, task.id, now + LIFETIME);
                tx.put(&session)?;
                access.sessions.push(session.access_key_id.clone());
                tx.put(&access)?;
                session
            }
        };
        Ok(json!({
            "RoleArn": session.role_arn,
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "Token": session.session_token,
            "Expiration": session.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }))
    })
}
