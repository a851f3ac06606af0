//! The network of a task: subnets and security groups of its request, and its interface in one of them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::refusal::invalid;
use super::task::{Interface, Task};
use crate::ec2::network_interface;
use crate::ec2::record::{NetworkInterface, Owner, SecurityGroup, Subnet};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NetworkConfiguration {
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
    subnets: Vec<Subnet>,
    security_groups: Vec<String>,
    assign_public_ip: bool,
}

impl Network {
    /// Where the interface of the task with this number shall be: tasks are spread over the subnets.
    pub(super) fn interface(&self, number: usize) -> Interface {
        let subnet = &self.subnets[number % self.subnets.len()];
        Interface {
            attachment_id: uuid::Uuid::new_v4().to_string(),
            assign_public_ip: self.assign_public_ip,
            cidr_block: subnet.cidr_block.clone(),
            subnet_id: subnet.id.clone(),
            availability_zone: subnet.availability_zone.clone(),
            security_groups: self.security_groups.clone(),
            ..Interface::default()
        }
    }
}

/// The network that the request asks for.
///
/// # Errors
/// AWS's, when a part of it is missing or does not fit.
pub(super) fn network(tx: &Tx<'_>, configuration: Option<&NetworkConfiguration>) -> Result<Network, ApiError> {
    let Some(network) = configuration.and_then(|one| one.awsvpc_configuration.as_ref()) else {
        return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
    };
    network.check_sizes()?;
    let assign_public_ip = match network.assign_public_ip.as_deref() {
        None | Some("DISABLED") => false,
        Some("ENABLED") => true,
        Some(other) => return Err(invalid(format!("Invalid assignPublicIp: {other}"))),
    };
    let subnets = network.find_subnets(tx)?;
    let vpcs: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.vpc_id.as_str()).collect();
    if vpcs.len() > 1 {
        return Err(invalid("Subnets must all belong to the same VPC."));
    }
    for id in &network.security_groups {
        if !vpcs.contains(network.find_group(tx, id)?.vpc_id.as_str()) {
            return Err(invalid(format!(
                "Security group {id} does not appear to belong to the same VPC as the input subnets."
            )));
        }
    }
    Ok(Network { subnets, security_groups: network.security_groups.clone(), assign_public_ip })
}

impl AwsvpcConfiguration {
    fn check_sizes(&self) -> Result<(), ApiError> {
        if self.subnets.is_empty() {
            return Err(invalid("subnets can not be empty."));
        }
        if self.subnets.len() > 16 {
            return Err(invalid("subnets can have at most 16 items."));
        }
        if self.security_groups.len() > 5 {
            return Err(invalid("securityGroups can have at most 5 items."));
        }
        Ok(())
    }

    fn find_subnets(&self, tx: &Tx<'_>) -> Result<Vec<Subnet>, ApiError> {
        let find = |id: &String| {
            tx.get::<Subnet>(id)?.ok_or_else(|| {
                invalid(format!(
                    "Error retrieving subnet information for [{}]: The subnet ID '{id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
                    self.subnets.join(", ")
                ))
            })
        };
        self.subnets.iter().map(find).collect()
    }

    fn find_group(&self, tx: &Tx<'_>, id: &str) -> Result<SecurityGroup, ApiError> {
        tx.get::<SecurityGroup>(id)?.ok_or_else(|| {
            invalid(format!(
                "Error retrieving security group information for [{}]: The security group '{id}' does not exist (ErrorCode: InvalidGroup.NotFound)",
                self.security_groups.join(", ")
            ))
        })
    }
}

/// Makes the task's interface; the reason for which the task stops when there cannot be one.
pub(super) fn attach(endpoint: &Endpoint, tx: &Tx<'_>, task: &mut Task) -> Result<Result<(), String>, ApiError> {
    let wanted = &mut task.interface;
    // A task of an earlier version has had one from the start.
    if !wanted.id.is_empty() {
        return Ok(Ok(()));
    }
    let owner = owner(endpoint, wanted);
    let made = Subnet::get(tx, &wanted.subnet_id)
        .and_then(|subnet| network_interface::create(tx, &subnet, &wanted.security_groups, owner));
    match made {
        Ok(made) => {
            wanted.id = made.id;
            wanted.mac_address = made.mac_address;
            wanted.private_address = made.private_ip.to_string();
            Ok(Ok(()))
        }
        Err(error) if error.status >= 500 => Err(error),
        Err(error) => Ok(Err(format!(
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment {} in subnet '{}': {}",
            if wanted.assign_public_ip { "enabled" } else { "disabled" },
            wanted.subnet_id,
            error.code
        ))),
    }
}

/// Deletes the task's interface.
pub(super) fn detach(tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
    network_interface::delete(tx, &task.interface.id)
}

/// Writes down the interface of a task that an earlier version ran: it was known to its task only.
pub(super) fn adopt(endpoint: &Endpoint, tx: &Tx<'_>, task: &Task) -> Result<(), ApiError> {
    let interface = &task.interface;
    let Ok(private_ip) = interface.private_address.parse() else { return Ok(()) };
    let known = NetworkInterface {
        id: interface.id.clone(),
        subnet_id: interface.subnet_id.clone(),
        private_ip,
        mac_address: interface.mac_address.clone(),
        group_ids: interface.security_groups.clone(),
        owner: owner(endpoint, interface),
        created_at: task.connectivity_at.unwrap_or(task.created_at),
    };
    network_interface::adopt(tx, known)
}

fn owner(endpoint: &Endpoint, interface: &Interface) -> Owner {
    Owner::Service(endpoint.arn("ecs", &format!("attachment/{}", interface.attachment_id)))
}
