//! Subnets, and which addresses in them are taken.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, INVALID, Query, Tags, tag_set};
use super::network_interface::{Interface, interfaces};
use super::route_table::RouteTable;
use super::vpc::{Vpc, parse_cidr};
use super::zone::{Zone, zones};
use super::{new_id, refusal};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) cidr_block: String,
    pub(crate) availability_zone: String,
    pub(crate) availability_zone_id: String,
    pub(crate) network_acl_association_id: String,
    pub(crate) settings: SubnetSettings,
}

/// What can be changed of a subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubnetSettings {
    pub(crate) map_public_ip_on_launch: bool,
    pub(crate) hostname_type: String,
    pub(crate) resource_name_a_record: bool,
    pub(crate) tags: Tags,
}

impl Record for Subnet {
    const KIND: &'static str = "ec2.subnet";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Subnet {
    /// The subnet with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::subnet_not_found(id))
    }

    pub(crate) fn network(&self) -> Result<Ipv4Net, ApiError> {
        parse_cidr(&self.cidr_block)
    }

    /// Makes a subnet; without a zone EC2 picks one.
    ///
    /// # Errors
    /// InvalidSubnet.Range outside the VPC, InvalidSubnet.Conflict with another subnet, an unknown VPC or zone.
    pub(crate) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        vpc_id: &str,
        cidr_block: &str,
        zone: Option<&str>,
        settings: SubnetSettings,
    ) -> Result<Self, ApiError> {
        let vpc = Vpc::get(tx, vpc_id)?;
        let network = parse_cidr(cidr_block)?;
        if !(16..=28).contains(&network.prefix_len()) || !vpc.network()?.contains(&network) {
            return Err(ApiError::new("InvalidSubnet.Range", format!("The CIDR '{cidr_block}' is invalid.")));
        }
        for other in tx.list::<Self>()?.iter().filter(|other| other.vpc_id == vpc_id) {
            let taken = other.network()?;
            if taken.contains(&network) || network.contains(&taken) {
                return Err(ApiError::new(
                    "InvalidSubnet.Conflict",
                    format!("The CIDR '{cidr_block}' conflicts with another subnet"),
                ));
            }
        }
        let zone = find_zone(&endpoint.identity.region, zone)?;
        let subnet = Self {
            id: new_id("subnet"),
            vpc_id: vpc.id,
            cidr_block: network.to_string(),
            availability_zone: zone.name,
            availability_zone_id: zone.id,
            network_acl_association_id: new_id("aclassoc"),
            settings,
        };
        tx.put(&subnet)?;
        Ok(subnet)
    }

    /// Deletes the subnet with its route table association; does nothing if it is already gone.
    ///
    /// # Errors
    /// DependencyViolation while a NAT gateway, an interface endpoint or a task is in it.
    pub(crate) fn delete(endpoint: &Endpoint, tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        let Some(subnet) = tx.get::<Self>(id)? else { return Ok(()) };
        let tasks = crate::ecs::active_tasks(tx)?;
        let in_use = interfaces(endpoint, tx)?.iter().any(|interface| interface.subnet_id == id)
            || tasks.iter().any(|task| task.subnet_id == id);
        if in_use {
            return Err(refusal::has_dependencies("subnet", id));
        }
        for mut table in RouteTable::of_vpc(tx, &subnet.vpc_id)? {
            if table.disassociate_subnet(id) {
                tx.put(&table)?;
            }
        }
        tx.delete::<Self>(id)?;
        Ok(())
    }

    /// An address for an interface in this subnet: `wanted`, or the highest one that is free.
    ///
    /// Tasks take addresses from the low end, so both seldom meet.
    ///
    /// # Errors
    /// InvalidParameterValue or InsufficientFreeAddressesInSubnet.
    pub(crate) fn free_address(
        &self,
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        wanted: Option<&str>,
    ) -> Result<Ipv4Addr, ApiError> {
        let network = self.network()?;
        let taken: Vec<Ipv4Addr> =
            interfaces(endpoint, tx)?.iter().filter_map(|interface| interface.private_ip.parse().ok()).collect();
        if let Some(wanted) = wanted {
            return wanted
                .parse()
                .ok()
                .filter(|address| usable(network).any(|usable| usable == *address) && !taken.contains(address))
                .ok_or_else(|| {
                    ApiError::new(
                        INVALID,
                        format!("Address {wanted} is not free in the subnet's address range {}.", self.cidr_block),
                    )
                });
        }
        usable(network).rev().find(|address| !taken.contains(address)).ok_or_else(|| {
            ApiError::new(
                "InsufficientFreeAddressesInSubnet",
                format!("The subnet '{}' does not have enough free addresses.", self.id),
            )
        })
    }
}

/// The addresses of a block that are not AWS's own: it keeps the first four and the last one.
fn usable(network: Ipv4Net) -> impl DoubleEndedIterator<Item = Ipv4Addr> {
    let (first, last) = (u32::from(network.network()), u32::from(network.broadcast()));
    (first + 4..last).map(Ipv4Addr::from)
}

fn find_zone(region: &str, wanted: Option<&str>) -> Result<Zone, ApiError> {
    let zones = zones(region);
    let names = zones.iter().map(|zone| zone.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = match wanted {
        None => zones.into_iter().next(),
        Some(wanted) => zones.into_iter().find(|zone| zone.name == wanted || zone.id == wanted),
    };
    found.ok_or_else(|| {
        ApiError::new(
            INVALID,
            format!(
                "Value ({}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {names}.",
                wanted.unwrap_or_default(),
            ),
        )
    })
}

/// A subnet as it is shown.
struct View {
    subnet: Subnet,
    free: usize,
    arn: String,
}

impl View {
    fn new(endpoint: &Endpoint, subnet: Subnet, interfaces: &[Interface]) -> Result<Self, ApiError> {
        let taken = interfaces.iter().filter(|interface| interface.subnet_id == subnet.id).count();
        let free = usable(subnet.network()?).count().saturating_sub(taken);
        let arn = endpoint.arn("ec2", &format!("subnet/{}", subnet.id));
        Ok(Self { subnet, free, arn })
    }
}

impl Describe for View {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "availability-zone-id",
        "availabilityZone",
        "availabilityZoneId",
        "available-ip-address-count",
        "cidr",
        "cidr-block",
        "cidrBlock",
        "default-for-az",
        "defaultForAz",
        "map-public-ip-on-launch",
        "owner-id",
        "state",
        "subnet-arn",
        "subnet-id",
        "vpc-id",
    ];

    fn key(&self) -> &str {
        &self.subnet.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::subnet_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.subnet.settings.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        let subnet = &self.subnet;
        vec![match filter {
            "availability-zone" | "availabilityZone" => subnet.availability_zone.clone(),
            "availability-zone-id" | "availabilityZoneId" => subnet.availability_zone_id.clone(),
            "available-ip-address-count" => self.free.to_string(),
            "cidr" | "cidr-block" | "cidrBlock" => subnet.cidr_block.clone(),
            "default-for-az" | "defaultForAz" => "false".to_owned(),
            "map-public-ip-on-launch" => subnet.settings.map_public_ip_on_launch.to_string(),
            "state" => "available".to_owned(),
            "subnet-arn" => self.arn.clone(),
            "subnet-id" => subnet.id.clone(),
            _ => subnet.vpc_id.clone(),
        }]
    }
}

pub(super) fn describe_subnets(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeSubnets", input, "SubnetId")?;
    let views = endpoint.store.read(|tx| {
        let interfaces = interfaces(endpoint, tx)?;
        let views = tx.list::<Subnet>()?.into_iter().map(|subnet| View::new(endpoint, subnet, &interfaces));
        views.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(query.select(views)?.output("subnetSet", |view| show(endpoint, view)))
}

fn show(endpoint: &Endpoint, view: &View) -> Value {
    let subnet = &view.subnet;
    json!({
        "subnetId": subnet.id,
        "subnetArn": view.arn,
        "vpcId": subnet.vpc_id,
        "ownerId": endpoint.identity.account_id,
        "state": "available",
        "cidrBlock": subnet.cidr_block,
        "availableIpAddressCount": view.free,
        "availabilityZone": subnet.availability_zone,
        "availabilityZoneId": subnet.availability_zone_id,
        "defaultForAz": false,
        "mapPublicIpOnLaunch": subnet.settings.map_public_ip_on_launch,
        "mapCustomerOwnedIpOnLaunch": false,
        "assignIpv6AddressOnCreation": false,
        "ipv6CidrBlockAssociationSet": [],
        "enableDns64": false,
        "ipv6Native": false,
        "privateDnsNameOptionsOnLaunch": {
            "hostnameType": subnet.settings.hostname_type,
            "enableResourceNameDnsARecord": subnet.settings.resource_name_a_record,
            "enableResourceNameDnsAAAARecord": false,
        },
        "tagSet": tag_set(&subnet.settings.tags),
    })
}
