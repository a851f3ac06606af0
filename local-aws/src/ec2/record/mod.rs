//! What there is in a network: each kind of resource, and how to find it. What makes, changes and shows it is beside
//! this folder.

mod address;
mod internet_gateway;
mod nat_gateway;
mod network_interface;
mod route_table;
mod security_group;
mod subnet;
mod vpc;
mod vpc_endpoint;

pub(crate) use address::Address;
pub(crate) use internet_gateway::InternetGateway;
pub(crate) use nat_gateway::NatGateway;
pub(crate) use network_interface::{NetworkInterface, Owner};
pub(crate) use route_table::{Association, Route, RouteTable, Target};
pub(crate) use security_group::{Peer, Rule, SecurityGroup};
pub(crate) use subnet::{Subnet, SubnetSettings};
pub(crate) use vpc::{Vpc, VpcSettings};
pub(crate) use vpc_endpoint::{EndpointInterface, Kind, VpcEndpoint, VpcEndpointSettings};
