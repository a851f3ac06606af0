//! The id of who calls, which stays when names change.

use super::role::Role;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::store::Tx;

/// The id of a caller: `AIDA...` for the user, `AROA...:SESSION` for a role.
pub(crate) fn user_id(tx: &Tx<'_>, caller: &Caller) -> Result<String, ApiError> {
    Ok(match caller {
        Caller::User => "AIDAFISWORKSHOPLOCAL0".to_owned(),
        Caller::Role { role_arn, session_name } => {
            // A role that was deleted meanwhile has no id any more; its session lives on until it expires.
            let known = Role::with_arn(tx, role_arn)?.map(|role| role.role_id);
            let role = role_arn.rsplit('/').next().unwrap_or_default();
            format!("{}:{session_name}", known.as_deref().unwrap_or(role))
        }
    })
}
