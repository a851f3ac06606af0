//! Network interfaces: those of NAT gateways, interface endpoints and tasks. Nobody makes one by itself.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::describe::{Describe, Query, Tags, tag_set, time};
use super::nat_gateway::NatGateway;
use super::security_group::SecurityGroup;
use super::subnet::Subnet;
use super::vpc_endpoint::VpcEndpoint;
use crate::ecs::ActiveTask;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// An interface.
pub(super) struct Interface {
    id: String,
    pub(super) subnet_id: String,
    pub(super) private_ip: String,
    pub(super) group_ids: Vec<String>,
    mac_address: String,
    description: String,
    interface_type: &'static str,
    /// The gateway that gives it a public address.
    nat: Option<NatGateway>,
    /// When a task's interface was attached.
    attached_at: Option<DateTime<Utc>>,
    tags: Tags,
}

/// Every interface that is there.
pub(super) fn interfaces(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Interface>, ApiError> {
    let mut interfaces: Vec<Interface> = tx.list::<NatGateway>()?.into_iter().map(of_nat).collect();
    interfaces.extend(tx.list::<VpcEndpoint>()?.iter().flat_map(of_endpoint));
    interfaces.extend(crate::ecs::active_tasks(tx)?.iter().filter_map(|task| of_task(endpoint, task)));
    Ok(interfaces)
}

fn of_nat(nat: NatGateway) -> Interface {
    Interface {
        id: nat.network_interface_id.clone(),
        subnet_id: nat.subnet_id.clone(),
        private_ip: nat.private_ip.to_string(),
        group_ids: Vec::new(),
        mac_address: mac_address(&nat.network_interface_id),
        description: format!("Interface for NAT Gateway {}", nat.id),
        interface_type: "nat_gateway",
        nat: nat.public_ip.is_some().then_some(nat),
        attached_at: None,
        tags: Tags::new(),
    }
}

fn of_endpoint(endpoint: &VpcEndpoint) -> impl Iterator<Item = Interface> {
    endpoint.interfaces.iter().map(|interface| Interface {
        id: interface.id.clone(),
        subnet_id: interface.subnet_id.clone(),
        private_ip: interface.private_ip.to_string(),
        group_ids: endpoint.settings.security_group_ids.clone(),
        mac_address: mac_address(&interface.id),
        description: format!("VPC Endpoint Interface {}", endpoint.id),
        interface_type: "vpc_endpoint",
        nat: None,
        attached_at: None,
        tags: Tags::new(),
    })
}

/// The interface that DescribeTasks shows as the task's attachment.
fn of_task(endpoint: &Endpoint, task: &ActiveTask) -> Option<Interface> {
    let attachment = task
        .description
        .get("attachments")?
        .as_array()?
        .iter()
        .find(|attachment| attachment["type"] == "ElasticNetworkInterface")?;
    let detail = |name: &str| {
        let details = attachment["details"].as_array()?;
        details.iter().find(|detail| detail["name"] == name)?["value"].as_str().map(str::to_owned)
    };
    let attachment_id = attachment["id"].as_str()?;
    let id = detail("networkInterfaceId")?;
    Some(Interface {
        subnet_id: task.subnet_id.clone(),
        private_ip: detail("privateIPv4Address")?,
        group_ids: task.security_group_ids.clone(),
        mac_address: detail("macAddress").unwrap_or_else(|| mac_address(&id)),
        id,
        description: endpoint.arn("ecs", &format!("attachment/{attachment_id}")),
        interface_type: "interface",
        nat: None,
        attached_at: task.description["connectivityAt"].as_f64().and_then(from_epoch_seconds),
        // ECS tags an interface only as a managed resource; the task's own tags stay on the task.
        tags: Tags::new(),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "an instant of this era in milliseconds fits an i64")]
fn from_epoch_seconds(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}

/// A locally administered address that follows from the interface's id.
fn mac_address(id: &str) -> String {
    let digits: Vec<char> = id.chars().rev().filter(char::is_ascii_hexdigit).take(10).collect();
    digits.chunks(2).fold("02".to_owned(), |text, pair| format!("{text}:{}", pair.iter().collect::<String>()))
}

/// An interface with what its subnet and groups say.
struct View {
    interface: Interface,
    subnet: Option<Subnet>,
    groups: Vec<(String, String)>,
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
        Some(&self.interface.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        let interface = &self.interface;
        match filter {
            "association.allocation-id" => interface.nat.iter().filter_map(|nat| nat.allocation_id.clone()).collect(),
            "association.public-ip" => {
                interface.nat.iter().filter_map(|nat| Some(nat.public_ip?.to_string())).collect()
            }
            "availability-zone" => self.of_subnet(|subnet| &subnet.availability_zone),
            "availability-zone-id" => self.of_subnet(|subnet| &subnet.availability_zone_id),
            "vpc-id" => self.of_subnet(|subnet| &subnet.vpc_id),
            "group-id" => self.groups.iter().map(|(id, _)| id.clone()).collect(),
            "group-name" => self.groups.iter().map(|(_, name)| name.clone()).collect(),
            "description" => vec![interface.description.clone()],
            "interface-type" => vec![interface.interface_type.to_owned()],
            "mac-address" => vec![interface.mac_address.clone()],
            "private-ip-address" | "addresses.private-ip-address" => vec![interface.private_ip.clone()],
            "status" => vec!["in-use".to_owned()],
            "subnet-id" => vec![interface.subnet_id.clone()],
            _ => vec![interface.id.clone()],
        }
    }
}

pub(super) fn describe_network_interfaces(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeNetworkInterfaces", input, "NetworkInterfaceId")?;
    let views = endpoint.store.read(|tx| {
        let groups = tx.list::<SecurityGroup>()?;
        let view = |interface: Interface| {
            let member_of = groups.iter().filter(|group| interface.group_ids.contains(&group.id));
            let groups = member_of.map(|group| (group.id.clone(), group.name.clone())).collect();
            Ok(View { subnet: tx.get::<Subnet>(&interface.subnet_id)?, groups, interface })
        };
        interfaces(endpoint, tx)?.into_iter().map(view).collect::<Result<Vec<_>, ApiError>>()
    })?;
    Ok(query.select(views)?.output("networkInterfaceSet", |view| show(endpoint, view)))
}

fn show(endpoint: &Endpoint, view: &View) -> Value {
    let account = &endpoint.identity.account_id;
    let interface = &view.interface;
    let dns_name = format!("ip-{}.ec2.internal", interface.private_ip.replace('.', "-"));
    let mut address = json!({
        "privateIpAddress": interface.private_ip,
        "privateDnsName": dns_name,
        "primary": true,
    });
    let mut shown = json!({
        "networkInterfaceId": interface.id,
        "subnetId": interface.subnet_id,
        "ownerId": account,
        "description": interface.description,
        "interfaceType": interface.interface_type,
        "macAddress": interface.mac_address,
        "privateIpAddress": interface.private_ip,
        "privateDnsName": dns_name,
        // AWS's services make all of these on a person's behalf.
        "requesterManaged": true,
        "sourceDestCheck": interface.interface_type == "interface",
        "status": "in-use",
        "groupSet": view.groups.iter().map(|(id, name)| json!({"groupId": id, "groupName": name})).collect::<Vec<_>>(),
        "tagSet": tag_set(&interface.tags),
    });
    if let Some(subnet) = &view.subnet {
        shown["vpcId"] = json!(subnet.vpc_id);
        shown["availabilityZone"] = json!(subnet.availability_zone);
        shown["availabilityZoneId"] = json!(subnet.availability_zone_id);
    }
    if let Some(nat) = &interface.nat {
        let association = json!({
            "allocationId": nat.allocation_id,
            "associationId": nat.association_id,
            "ipOwnerId": account,
            "publicIp": nat.public_ip,
        });
        address["association"] = association.clone();
        shown["association"] = association;
    }
    if let Some(attached_at) = &interface.attached_at {
        let digits = interface.id.trim_start_matches("eni-");
        shown["attachment"] = json!({
            "attachmentId": format!("ela-attach-{digits}"),
            "attachTime": time(attached_at),
            "deleteOnTermination": false,
            "deviceIndex": 1,
            "instanceOwnerId": "amazon-aws",
            "status": "attached",
        });
    }
    shown["privateIpAddressesSet"] = json!([address]);
    shown
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
