//! EC2, as far as a VPC needs it. CloudFormation makes the resources; the API reads them.
//!
//! The network is one of records: what contradicts itself is refused as on AWS (ranges, overlaps, dependencies), and
//! the read calls show all of it, but no packet is filtered. Tasks are processes of this machine.

pub(crate) mod address;
mod describe;
pub(crate) mod internet_gateway;
pub(crate) mod nat_gateway;
mod network_acl;
mod network_interface;
mod refusal;
pub(crate) mod route;
pub(crate) mod route_table;
pub(crate) mod security_group;
pub(crate) mod security_group_rule;
pub(crate) mod subnet;
mod tags;
pub(crate) mod transition_state;
pub(crate) mod vpc;
pub(crate) mod vpc_endpoint;
pub(crate) mod zone;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Operation, Service, Tagged};
use crate::store::Tx;
use crate::wire;

pub(crate) static SERVICE: Service = Service {
    tagged,
    ..Service::new(
        "EC2",
        wire::Service::ec2("ec2", "http://ec2.amazonaws.com/doc/2016-11-15/"),
        "InvalidParameterValue",
        &[
            Operation::now("DescribeAddresses", |call| address::describe_addresses(&call.endpoint, call.input)),
            Operation::now("DescribeAvailabilityZones", |call| {
                zone::describe_availability_zones(&call.endpoint, call.input)
            }),
            Operation::now("DescribeInternetGateways", |call| {
                internet_gateway::describe_internet_gateways(&call.endpoint, call.input)
            }),
            Operation::now("DescribeNatGateways", |call| {
                nat_gateway::describe_nat_gateways(&call.endpoint, call.input)
            }),
            Operation::now("DescribeNetworkAcls", |call| {
                network_acl::describe_network_acls(&call.endpoint, call.input)
            }),
            Operation::now("DescribeNetworkInterfaces", |call| {
                network_interface::describe_network_interfaces(&call.endpoint, call.input)
            }),
            Operation::now("DescribeRouteTables", |call| {
                route_table::describe_route_tables(&call.endpoint, call.input)
            }),
            Operation::now("DescribeSecurityGroupRules", |call| {
                security_group_rule::describe_security_group_rules(&call.endpoint, call.input)
            }),
            Operation::now("DescribeSecurityGroups", |call| {
                security_group::describe_security_groups(&call.endpoint, call.input)
            }),
            Operation::now("DescribeSubnets", |call| subnet::describe_subnets(&call.endpoint, call.input)),
            Operation::now("DescribeTags", |call| tags::describe_tags(&call.endpoint, call.input)),
            Operation::now("DescribeVpcAttribute", |call| vpc::describe_vpc_attribute(&call.endpoint, call.input)),
            Operation::now("DescribeVpcEndpoints", |call| {
                vpc_endpoint::describe_vpc_endpoints(&call.endpoint, call.input)
            }),
            Operation::now("DescribeVpcs", |call| vpc::describe_vpcs(&call.endpoint, call.input)),
        ],
    )
};

/// What a task's network configuration needs to know of a subnet.
pub(crate) struct SubnetPlace {
    pub(crate) vpc_id: String,
    pub(crate) availability_zone: String,
    pub(crate) cidr_block: String,
}

/// The subnet, if it is there.
pub(crate) fn subnet(tx: &Tx<'_>, subnet_id: &str) -> Result<Option<SubnetPlace>, ApiError> {
    let found = tx.get::<subnet::Subnet>(subnet_id)?;
    Ok(found.map(|subnet| SubnetPlace {
        vpc_id: subnet.vpc_id,
        availability_zone: subnet.availability_zone,
        cidr_block: subnet.cidr_block,
    }))
}

/// The VPC of the security group, if it is there.
pub(crate) fn security_group_vpc(tx: &Tx<'_>, group_id: &str) -> Result<Option<String>, ApiError> {
    Ok(tx.get::<security_group::SecurityGroup>(group_id)?.map(|group| group.vpc_id))
}

/// Every tagged resource of the service.
fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let tagged = tags::resources(tx)?.into_iter().filter(|resource| !resource.tags.is_empty());
    Ok(tagged
        .map(|resource| Tagged {
            arn: endpoint.arn("ec2", &format!("{}/{}", resource.kind, resource.id)),
            tags: resource.tags,
        })
        .collect())
}

/// A new id as EC2 makes them: a prefix and 17 hexadecimal digits, of which the first is 0.
fn new_id(prefix: &str) -> String {
    let digits = uuid::Uuid::new_v4().simple().to_string();
    format!("{prefix}-0{}", &digits[..16])
}

#[cfg(test)]
mod tests;
