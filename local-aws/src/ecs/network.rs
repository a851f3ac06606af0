//! The network of a task: subnets and security groups of its request, and an interface in one of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::invalid;
use super::task::Interface;
use crate::ec2;
use crate::error::ApiError;
use crate::identity::random_text;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NetworkConfiguration {
    awsvpc_configuration: Option<AwsvpcConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AwsvpcConfiguration {
    #[serde(default)]
    subnets: Vec<String>,
    #[serde(default)]
    security_groups: Vec<String>,
    assign_public_ip: Option<String>,
}

/// The subnets and security groups of a request, which are there and fit one another.
pub(super) struct Network {
    pub(super) places: Vec<Place>,
    pub(super) security_groups: Vec<String>,
}

/// One of the subnets.
pub(super) struct Place {
    subnet_id: String,
    availability_zone: String,
    cidr: ipnet::Ipv4Net,
}

/// The network that the request asks for.
///
/// # Errors
/// AWS's, when a part of it is missing or does not fit.
pub(super) fn network(tx: &Tx<'_>, configuration: Option<&NetworkConfiguration>) -> Result<Network, ApiError> {
    let Some(network) = configuration.and_then(|one| one.awsvpc_configuration.as_ref()) else {
        return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
    };
    if network.subnets.is_empty() {
        return Err(invalid("subnets can not be empty."));
    }
    if network.subnets.len() > 16 {
        return Err(invalid("subnets can have at most 16 items."));
    }
    if network.security_groups.len() > 5 {
        return Err(invalid("securityGroups can have at most 5 items."));
    }
    match network.assign_public_ip.as_deref() {
        None | Some("ENABLED" | "DISABLED") => {}
        Some(other) => return Err(invalid(format!("Invalid assignPublicIp: {other}"))),
    }
    let mut places = Vec::new();
    let mut vpcs = BTreeMap::new();
    for id in &network.subnets {
        let subnet = ec2::subnet(tx, id)?.ok_or_else(|| {
            invalid(format!(
                "Error retrieving subnet information for [{}]: The subnet ID '{id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
                network.subnets.join(", ")
            ))
        })?;
        let cidr = subnet.cidr_block.parse().map_err(|_| {
            ApiError::internal(format!("The subnet {id} has no IPv4 CIDR block: {}", subnet.cidr_block))
        })?;
        vpcs.insert(subnet.vpc_id, id);
        places.push(Place { subnet_id: id.clone(), availability_zone: subnet.availability_zone, cidr });
    }
    if vpcs.len() > 1 {
        return Err(invalid("Subnets must all belong to the same VPC."));
    }
    for id in &network.security_groups {
        let vpc = ec2::security_group_vpc(tx, id)?.ok_or_else(|| {
            invalid(format!(
                "Error retrieving security group information for [{}]: The security group '{id}' does not exist (ErrorCode: InvalidGroup.NotFound)",
                network.security_groups.join(", ")
            ))
        })?;
        if !vpcs.contains_key(&vpc) {
            return Err(invalid(format!(
                "Security group {id} does not appear to belong to the same VPC as the input subnets."
            )));
        }
    }
    Ok(Network { places, security_groups: network.security_groups.clone() })
}

/// An interface with an address of the subnet that no other task has.
pub(super) fn interface(
    place: &Place,
    security_groups: &[String],
    taken: &mut Vec<String>,
) -> Result<Interface, ApiError> {
    // AWS keeps the first four addresses of a subnet and its last for itself.
    let last = place.cidr.broadcast();
    let address = place
        .cidr
        .hosts()
        .skip(3)
        .filter(|address| *address != last)
        .map(|address| address.to_string())
        .find(|address| !taken.contains(address))
        .ok_or_else(|| invalid(format!("The subnet {} has no free addresses.", place.subnet_id)))?;
    taken.push(address.clone());
    let hex = |length| random_text(b"0123456789abcdef", length);
    let pairs: Vec<String> = (0..5).map(|_| hex(2)).collect();
    Ok(Interface {
        attachment_id: uuid::Uuid::new_v4().to_string(),
        id: format!("eni-{}", hex(17)),
        mac_address: format!("0a:{}", pairs.join(":")),
        private_address: address,
        cidr_block: place.cidr.to_string(),
        subnet_id: place.subnet_id.clone(),
        availability_zone: place.availability_zone.clone(),
        security_groups: security_groups.to_vec(),
    })
}
