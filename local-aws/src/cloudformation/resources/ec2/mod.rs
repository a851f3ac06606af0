//! The VPC family of `AWS::EC2`.

mod elastic_ip;
mod gateways;
mod properties;
mod routing;
mod security_groups;
mod subnet;
mod vpc;
mod vpc_endpoint;

use super::resource_type::ResourceType;

pub(super) const TYPES: &[&dyn ResourceType] = &[
    &elastic_ip::ElasticIp,
    &gateways::InternetGatewayType,
    &gateways::NatGatewayType,
    &gateways::VpcGatewayAttachment,
    &routing::RouteTableType,
    &routing::RouteType,
    &routing::SubnetRouteTableAssociation,
    &security_groups::SecurityGroupType,
    &security_groups::SecurityGroupEgress,
    &security_groups::SecurityGroupIngress,
    &subnet::SubnetType,
    &vpc::VpcType,
    &vpc_endpoint::VpcEndpointType,
];
