//! Makes network interfaces, each with an address of its subnet, and shows them.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use chrono::Utc;
use serde_json::{Value, json};

use super::cidr::usable;
use super::describe::{Describe, Query, time};
use super::dns::private_dns_name;
use super::id::new_id;
use super::record::{NatGateway, NetworkInterface, Owner, SecurityGroup, Subnet};
use super::refusal::INVALID;
use super::tag::{Tags, tag_set};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

/// Makes an interface with the first address of the subnet that is free.
///
/// # Errors
/// InsufficientFreeAddressesInSubnet; a group that is not there.
pub(crate) fn create(
    tx: &Tx<'_>,
    subnet: &Subnet,
    group_ids: &[String],
    owner: Owner,
) -> Result<NetworkInterface, ApiError> {
    let taken = taken(tx, subnet)?;
    let address = usable(subnet.network()?).find(|address| !taken.contains(address)).ok_or_else(|| {
        ApiError::new(
            "InsufficientFreeAddressesInSubnet",
            "The specified subnet does not have enough free addresses to satisfy the request.",
        )
    })?;
    put(tx, subnet, group_ids, owner, address)
}

/// Makes an interface with this address.
///
/// # Errors
/// InvalidParameterValue for one that is taken, AWS's own or not of the subnet; a group that is not there.
pub(super) fn create_at(
    tx: &Tx<'_>,
    subnet: &Subnet,
    group_ids: &[String],
    owner: Owner,
    address: &str,
) -> Result<NetworkInterface, ApiError> {
    let (network, taken) = (subnet.network()?, taken(tx, subnet)?);
    let is_free = |address: &Ipv4Addr| usable(network).any(|usable| usable == *address) && !taken.contains(address);
    let address = address.parse().ok().filter(is_free).ok_or_else(|| {
        ApiError::new(
            INVALID,
            format!("Address {address} is not free in the subnet's address range {}.", subnet.cidr_block),
        )
    })?;
    put(tx, subnet, group_ids, owner, address)
}

fn taken(tx: &Tx<'_>, subnet: &Subnet) -> Result<HashSet<Ipv4Addr>, ApiError> {
    Ok(NetworkInterface::of_subnet(tx, &subnet.id)?.into_iter().map(|interface| interface.private_ip).collect())
}

fn put(
    tx: &Tx<'_>,
    subnet: &Subnet,
    group_ids: &[String],
    owner: Owner,
    private_ip: Ipv4Addr,
) -> Result<NetworkInterface, ApiError> {
    for id in group_ids {
        SecurityGroup::get(tx, id)?;
    }
    let id = new_id("eni");
    let interface = NetworkInterface {
        mac_address: mac_address(&id),
        id,
        subnet_id: subnet.id.clone(),
        private_ip,
        group_ids: group_ids.to_vec(),
        owner,
        created_at: Utc::now(),
    };
    tx.put(&interface)?;
    Ok(interface)
}

/// Writes down an interface that is there, unless it is known.
pub(crate) fn adopt(tx: &Tx<'_>, interface: NetworkInterface) -> Result<(), ApiError> {
    if tx.get::<NetworkInterface>(&interface.id)?.is_none() { tx.put(&interface) } else { Ok(()) }
}

/// Puts the interface into other groups.
pub(super) fn set_groups(tx: &Tx<'_>, id: &str, group_ids: &[String]) -> Result<(), ApiError> {
    let Some(interface) = tx.get::<NetworkInterface>(id)? else { return Ok(()) };
    tx.put(&NetworkInterface { group_ids: group_ids.to_vec(), ..interface })
}

/// Deletes an interface, whose address is free again; does nothing if it is already gone.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    tx.delete::<NetworkInterface>(id)?;
    Ok(())
}

/// A locally administered address that follows from the interface's id.
pub(super) fn mac_address(id: &str) -> String {
    let digits: Vec<char> = id.chars().rev().filter(char::is_ascii_hexdigit).take(10).collect();
    digits.chunks(2).fold("02".to_owned(), |text, pair| format!("{text}:{}", pair.iter().collect::<String>()))
}

/// An interface with what its subnet, groups and gateway say.
struct View {
    interface: NetworkInterface,
    subnet: Option<Subnet>,
    groups: Vec<(String, String)>,
    /// The gateway that gives it a public address.
    nat: Option<NatGateway>,
    tags: Tags,
}

impl View {
    fn of_subnet(&self, value: fn(&Subnet) -> &String) -> Vec<String> {
        self.subnet.iter().map(value).cloned().collect()
    }
}

impl Describe for View {
    const FILTERS: &'static [&'static str] = &[
        "association.allocation-id",
        "association.public-ip",
        "availability-zone",
        "availability-zone-id",
        "addresses.private-ip-address",
        "description",
        "group-id",
        "group-name",
        "interface-type",
        "mac-address",
        "network-interface-id",
        "owner-id",
        "private-ip-address",
        "status",
        "subnet-id",
        "vpc-id",
    ];

    fn key(&self) -> &str {
        &self.interface.id
    }

    fn not_found(id: &str) -> ApiError {
        ApiError::new("InvalidNetworkInterfaceID.NotFound", format!("The networkInterface ID '{id}' does not exist"))
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        let interface = &self.interface;
        match filter {
            "association.allocation-id" => self.nat.iter().filter_map(|nat| nat.allocation_id.clone()).collect(),
            "association.public-ip" => self.nat.iter().filter_map(|nat| Some(nat.public_ip?.to_string())).collect(),
            "availability-zone" => self.of_subnet(|subnet| &subnet.availability_zone),
            "availability-zone-id" => self.of_subnet(|subnet| &subnet.availability_zone_id),
            "vpc-id" => self.of_subnet(|subnet| &subnet.vpc_id),
            "group-id" => self.groups.iter().map(|(id, _)| id.clone()).collect(),
            "group-name" => self.groups.iter().map(|(_, name)| name.clone()).collect(),
            "description" => vec![description(&interface.owner)],
            "interface-type" => vec![interface_type(&interface.owner).to_owned()],
            "mac-address" => vec![interface.mac_address.clone()],
            "private-ip-address" | "addresses.private-ip-address" => vec![interface.private_ip.to_string()],
            "status" => vec!["in-use".to_owned()],
            "subnet-id" => vec![interface.subnet_id.clone()],
            _ => vec![interface.id.clone()],
        }
    }
}

pub(super) fn describe_network_interfaces(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "NetworkInterfaceId")?;
    let endpoint = &call.endpoint;
    let views = endpoint.store.read(|tx| {
        let groups = tx.list::<SecurityGroup>()?;
        let interfaces = tx.list::<NetworkInterface>()?.into_iter();
        interfaces.map(|interface| view(tx, &groups, interface)).collect::<Result<Vec<_>, ApiError>>()
    })?;
    Ok(query.select(views)?.output("networkInterfaceSet", |view| show(endpoint, view)))
}

fn view(tx: &Tx<'_>, groups: &[SecurityGroup], interface: NetworkInterface) -> Result<View, ApiError> {
    let member_of = groups.iter().filter(|group| interface.group_ids.contains(&group.id));
    let nat = match &interface.owner {
        Owner::NatGateway(id) => tx.get::<NatGateway>(id)?.filter(|nat| nat.public_ip.is_some()),
        Owner::VpcEndpoint(_) | Owner::Service(_) => None,
    };
    Ok(View {
        subnet: tx.get::<Subnet>(&interface.subnet_id)?,
        groups: member_of.map(|group| (group.id.clone(), group.name.clone())).collect(),
        nat,
        // Services tag what is theirs, and leave their interfaces without.
        tags: Tags::new(),
        interface,
    })
}

fn interface_type(owner: &Owner) -> &'static str {
    match owner {
        Owner::NatGateway(_) => "nat_gateway",
        Owner::VpcEndpoint(_) => "vpc_endpoint",
        Owner::Service(_) => "interface",
    }
}

fn description(owner: &Owner) -> String {
    match owner {
        Owner::NatGateway(id) => format!("Interface for NAT Gateway {id}"),
        Owner::VpcEndpoint(id) => format!("VPC Endpoint Interface {id}"),
        Owner::Service(description) => description.clone(),
    }
}

fn show(endpoint: &Endpoint, view: &View) -> Value {
    let account = &endpoint.identity.account_id;
    let interface = &view.interface;
    let is_of_service = matches!(interface.owner, Owner::Service(_));
    let dns_name = private_dns_name(&endpoint.identity.region, interface.private_ip);
    let mut shown = json!({
        "networkInterfaceId": interface.id,
        "subnetId": interface.subnet_id,
        "ownerId": account,
        "description": description(&interface.owner),
        "interfaceType": interface_type(&interface.owner),
        "macAddress": interface.mac_address,
        "privateIpAddress": interface.private_ip,
        "privateDnsName": dns_name,
        // AWS's services make all of these on a person's behalf.
        "requesterManaged": true,
        "sourceDestCheck": is_of_service,
        "status": "in-use",
        "groupSet": view.groups.iter().map(|(id, name)| json!({"groupId": id, "groupName": name})).collect::<Vec<_>>(),
        "tagSet": tag_set(&view.tags),
    });
    if let Some(subnet) = &view.subnet {
        shown["vpcId"] = json!(subnet.vpc_id);
        shown["availabilityZone"] = json!(subnet.availability_zone);
        shown["availabilityZoneId"] = json!(subnet.availability_zone_id);
    }
    let mut address = json!({"privateIpAddress": interface.private_ip, "privateDnsName": dns_name, "primary": true});
    if let Some(nat) = &view.nat {
        let association = association(account, nat);
        address["association"] = association.clone();
        shown["association"] = association;
    }
    if is_of_service {
        shown["attachment"] = attachment(interface);
    }
    shown["privateIpAddressesSet"] = json!([address]);
    shown
}

fn association(account_id: &str, nat: &NatGateway) -> Value {
    json!({
        "allocationId": nat.allocation_id,
        "associationId": nat.association_id,
        "ipOwnerId": account_id,
        "publicIp": nat.public_ip,
    })
}

fn attachment(interface: &NetworkInterface) -> Value {
    json!({
        "attachmentId": format!("ela-attach-{}", interface.id.trim_start_matches("eni-")),
        "attachTime": time(&interface.created_at),
        "deleteOnTermination": false,
        "deviceIndex": 1,
        "instanceOwnerId": "amazon-aws",
        "status": "attached",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_address_follows_from_the_id() {
        assert_eq!(mac_address("eni-0123456789abcdef0").len(), 17);
        assert_eq!(mac_address("eni-0123456789abcdef0"), mac_address("eni-0123456789abcdef0"));
    }
}
