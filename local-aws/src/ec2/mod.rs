use std::sync::Arc;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) fn call(_endpoint: &Arc<Endpoint>, operation: &str, _input: Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation("ec2", operation))
}

/// What a task's network configuration needs to know of a subnet.
pub(crate) struct SubnetPlace {
    pub(crate) vpc_id: String,
    pub(crate) availability_zone: String,
    pub(crate) cidr_block: String,
}

/// The subnet, if it is there.
pub(crate) fn subnet(_tx: &crate::store::Tx<'_>, _subnet_id: &str) -> Result<Option<SubnetPlace>, ApiError> {
    Ok(None)
}

/// The VPC of the security group, if it is there.
pub(crate) fn security_group_vpc(_tx: &crate::store::Tx<'_>, _group_id: &str) -> Result<Option<String>, ApiError> {
    Ok(None)
}

/// Every tagged resource of the service.
pub(crate) fn tagged(
    _endpoint: &Endpoint,
    _tx: &crate::store::Tx<'_>,
) -> Result<Vec<crate::tagging::Tagged>, ApiError> {
    Ok(Vec::new())
}
