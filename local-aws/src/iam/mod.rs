//! Identity and Access Management: roles, what they may do, and who may assume them.
//!
//! Roles are made by CloudFormation, those of ECS and FIS by a call or at the first use; the API reads, changes and deletes
//! them.

mod answer;
mod authorize;
mod managed;
mod permission;
pub(crate) mod policy;
mod read;
pub(crate) mod role;
pub(crate) mod service_linked;
mod simulate;
mod user_id;
pub(crate) mod wildcard;
mod write;

use crate::service::{Operation, Service};
use crate::wire;

pub(crate) use authorize::{
    Principal, allows_service, assume, assumed_role_arn, authorize, authorize_with, check_resource_policy, may_assume,
};
pub(crate) use user_id::user_id;

pub(crate) static SERVICE: Service = Service {
    needs: permission::needs,
    ..Service::new(
        "IAM",
        wire::Service::query("iam", "https://iam.amazonaws.com/doc/2010-05-08/").global(),
        "ValidationError",
        &[
            Operation::now("AttachRolePolicy", |call| write::attach_role_policy(&call.endpoint, call.decode()?)),
            Operation::now("CreateServiceLinkedRole", |call| {
                service_linked::create_service_linked_role(&call.endpoint, call.decode()?)
            }),
            Operation::now("DeleteRole", |call| write::delete_role(&call.endpoint, call.decode()?)),
            Operation::now("DeleteRolePolicy", |call| write::delete_role_policy(&call.endpoint, call.decode()?)),
            Operation::now("DetachRolePolicy", |call| write::detach_role_policy(&call.endpoint, call.decode()?)),
            Operation::now("GetRole", |call| read::get_role(&call.endpoint, call.decode()?)),
            Operation::now("GetRolePolicy", |call| read::get_role_policy(&call.endpoint, call.decode()?)),
            Operation::now("ListAttachedRolePolicies", |call| {
                read::list_attached_role_policies(&call.endpoint, call.decode()?)
            }),
            Operation::now("ListRolePolicies", |call| read::list_role_policies(&call.endpoint, call.decode()?)),
            Operation::now("ListRoleTags", |call| read::list_role_tags(&call.endpoint, call.decode()?)),
            Operation::now("ListRoles", |call| read::list_roles(&call.endpoint, call.decode()?)),
            Operation::now("PutRolePolicy", |call| write::put_role_policy(&call.endpoint, call.decode()?)),
            Operation::now("SimulatePrincipalPolicy", |call| {
                simulate::simulate_principal_policy(&call.endpoint, call.decode()?)
            }),
            Operation::now("TagRole", |call| write::tag_role(&call.endpoint, call.decode()?)),
            Operation::now("UntagRole", |call| write::untag_role(&call.endpoint, call.decode()?)),
            Operation::now("UpdateAssumeRolePolicy", |call| {
                write::update_assume_role_policy(&call.endpoint, call.decode()?)
            }),
            Operation::now("UpdateRole", |call| write::update_role(&call.endpoint, call.decode()?)),
        ],
    )
};

#[cfg(test)]
mod tests;
