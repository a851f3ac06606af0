//! EC2, as far as a VPC needs it. CloudFormation makes the resources; the API reads them, and changes and deletes them.
//!
//! # Layout
//! - `record`: what there is, and how to find it
//! - a file for each kind of resource: what makes, changes and shows it
//! - `network_interface`: the one place that gives out addresses
//! - `describe`: ids, filters and pages of all read calls
//! - `write`: the calls that change and delete
//! - `resume`: takes up a state of an earlier version
//!
//! The network is one of records: what contradicts itself is refused as on AWS (ranges, overlaps, dependencies), and
//! the read calls show all of it, but no packet is filtered. Tasks are processes of this machine.

pub(crate) mod address;
mod cidr;
mod describe;
pub(crate) mod dns;
mod id;
pub(crate) mod internet_gateway;
pub(crate) mod nat_gateway;
mod network_acl;
pub(crate) mod network_interface;
mod prefix_list;
pub(crate) mod record;
mod refusal;
mod resume;
pub(crate) mod route;
pub(crate) mod route_table;
pub(crate) mod security_group;
pub(crate) mod security_group_rule;
pub(crate) mod subnet;
mod tag;
mod tags;
pub(crate) mod transition_state;
pub(crate) mod vpc;
pub(crate) mod vpc_endpoint;
mod write;
pub(crate) mod zone;

use crate::service::{Need, Operation, Service};
use crate::wire;

pub(crate) static SERVICE: Service = Service {
    needs: |call| Ok(vec![Need::of(call, "*").with("ec2:Region", &call.endpoint.identity.region)]),
    resume: resume::resume,
    tagged: tags::tagged,
    ..Service::new(
        "EC2",
        wire::Service::ec2("ec2", "http://ec2.amazonaws.com/doc/2016-11-15/"),
        refusal::INVALID,
        &[
            Operation::now("AttachInternetGateway", write::attach_internet_gateway),
            Operation::now("AuthorizeSecurityGroupEgress", write::authorize_egress),
            Operation::now("AuthorizeSecurityGroupIngress", write::authorize_ingress),
            Operation::now("CreateRoute", write::create_route),
            Operation::now("CreateTags", write::create_tags),
            Operation::now("DeleteInternetGateway", write::delete_internet_gateway),
            Operation::now("DeleteNatGateway", write::delete_nat_gateway),
            Operation::now("DeleteRoute", write::delete_route),
            Operation::now("DeleteRouteTable", write::delete_route_table),
            Operation::now("DeleteSecurityGroup", write::delete_security_group),
            Operation::now("DeleteSubnet", write::delete_subnet),
            Operation::now("DeleteTags", write::delete_tags),
            Operation::now("DeleteVpc", write::delete_vpc),
            Operation::now("DeleteVpcEndpoints", write::delete_vpc_endpoints),
            Operation::now("DescribeAddresses", address::describe_addresses),
            Operation::now("DescribeAvailabilityZones", zone::describe_availability_zones),
            Operation::now("DescribeInternetGateways", internet_gateway::describe_internet_gateways),
            Operation::now("DescribeNatGateways", nat_gateway::describe_nat_gateways),
            Operation::now("DescribeNetworkAcls", network_acl::describe_network_acls),
            Operation::now("DescribeNetworkInterfaces", network_interface::describe_network_interfaces),
            Operation::now("DescribeRouteTables", route_table::describe_route_tables),
            Operation::now("DescribeSecurityGroupRules", security_group_rule::describe_security_group_rules),
            Operation::now("DescribeSecurityGroups", security_group::describe_security_groups),
            Operation::now("DescribeSubnets", subnet::describe_subnets),
            Operation::now("DescribeTags", tags::describe_tags),
            Operation::now("DescribeVpcAttribute", vpc::describe_vpc_attribute),
            Operation::now("DescribeVpcEndpoints", vpc_endpoint::describe_vpc_endpoints),
            Operation::now("DescribeVpcs", vpc::describe_vpcs),
            Operation::now("DetachInternetGateway", write::detach_internet_gateway),
            Operation::now("DisassociateRouteTable", write::disassociate_route_table),
            Operation::now("ModifySubnetAttribute", write::modify_subnet_attribute),
            Operation::now("ModifyVpcAttribute", write::modify_vpc_attribute),
            Operation::now("ReleaseAddress", write::release_address),
            Operation::now("ReplaceRoute", write::replace_route),
            Operation::now("RevokeSecurityGroupEgress", write::revoke_egress),
            Operation::now("RevokeSecurityGroupIngress", write::revoke_ingress),
        ],
    )
};

#[cfg(test)]
mod tests;
