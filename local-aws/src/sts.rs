//! Security Token Service: who am I?

use serde_json::{Value, json};

use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::role::Role;
use crate::service::{Operation, Service};
use crate::wire;

pub(crate) static SERVICE: Service = Service {
    // Everybody may ask who he is.
    needs: Some(|_| Ok(Vec::new())),
    ..Service::new(
        "STS",
        wire::Service::query("sts", "https://sts.amazonaws.com/doc/2011-06-15/").global(),
        "ValidationError",
        &[Operation::now("GetCallerIdentity", |call| get_caller_identity(&call.endpoint, &call.caller))],
    )
};

fn get_caller_identity(endpoint: &Endpoint, caller: &Caller) -> Result<Value, ApiError> {
    let account = &endpoint.identity.account_id;
    let (arn, user_id) = match caller {
        Caller::User => (endpoint.identity.user_arn(), "AIDAFISWORKSHOPLOCAL0".to_owned()),
        Caller::Role { role_arn, session_name } => {
            let role = role_arn.rsplit('/').next().unwrap_or_default();
            // A role that was deleted meanwhile has no id any more; its session lives on until it expires.
            let known = endpoint.store.read(|tx| Role::with_arn(tx, role_arn))?;
            let role_id = known.map_or_else(|| role.to_owned(), |role| role.role_id);
            (format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}"), format!("{role_id}:{session_name}"))
        }
    };
    Ok(json!({"Account": account, "Arn": arn, "UserId": user_id}))
}
