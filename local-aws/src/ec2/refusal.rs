//! EC2's errors that several resources share.

use crate::error::ApiError;

/// Code of a wrong parameter.
pub(super) const INVALID: &str = "InvalidParameterValue";

pub(crate) fn vpc_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
}

pub(crate) fn subnet_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
}

pub(crate) fn route_table_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidRouteTableID.NotFound", format!("The routeTable ID '{id}' does not exist"))
}

pub(crate) fn internet_gateway_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidInternetGatewayID.NotFound", format!("The internetGateway ID '{id}' does not exist"))
}

pub(crate) fn security_group_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

pub(crate) fn security_group_rule_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidSecurityGroupRuleId.NotFound", format!("The security group rule ID '{id}' does not exist"))
}

/// `kind` is EC2's word for the resource, e.g. `vpc`.
pub(crate) fn has_dependencies(kind: &str, id: &str) -> ApiError {
    ApiError::new("DependencyViolation", format!("The {kind} '{id}' has dependencies and cannot be deleted."))
}

pub(crate) fn nat_gateway_not_found(id: &str) -> ApiError {
    ApiError::new("NatGatewayNotFound", format!("The Nat Gateway {id} was not found"))
}

pub(crate) fn allocation_not_found(allocation_id: &str) -> ApiError {
    ApiError::new("InvalidAllocationID.NotFound", format!("The allocation ID '{allocation_id}' does not exist"))
}

pub(crate) fn vpc_endpoint_not_found(id: &str) -> ApiError {
    ApiError::new("InvalidVpcEndpointId.NotFound", format!("The Vpc Endpoint Id '{id}' does not exist"))
}

pub(super) fn unknown_id(id: &str) -> ApiError {
    ApiError::new("InvalidID", format!("The ID '{id}' is not valid"))
}

/// What EC2 answers to a request that is only tried.
pub(super) fn dry_run() -> ApiError {
    ApiError::new("DryRunOperation", "Request would have succeeded, but DryRun flag is set.").status(412)
}
