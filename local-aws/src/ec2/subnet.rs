//! Makes and shows subnets.

use serde_json::{Value, json};

use super::cidr::{parse_cidr, usable};
use super::describe::{Describe, Query};
use super::id::new_id;
use super::record::{NetworkInterface, RouteTable, Subnet, SubnetSettings, Vpc};
use super::refusal::{self, INVALID};
use super::tag::{Tags, tag_set};
use super::zone::{Zone, zones};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

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
) -> Result<Subnet, ApiError> {
    let vpc = Vpc::get(tx, vpc_id)?;
    let network = parse_cidr(cidr_block)?;
    if !(16..=28).contains(&network.prefix_len()) || !vpc.network()?.contains(&network) {
        return Err(ApiError::new("InvalidSubnet.Range", format!("The CIDR '{cidr_block}' is invalid.")));
    }
    for other in tx.list::<Subnet>()?.iter().filter(|other| other.vpc_id == vpc_id) {
        let taken = other.network()?;
        if taken.contains(&network) || network.contains(&taken) {
            return Err(ApiError::new(
                "InvalidSubnet.Conflict",
                format!("The CIDR '{cidr_block}' conflicts with another subnet"),
            ));
        }
    }
    let zone = find_zone(&endpoint.identity.region, zone)?;
    let subnet = Subnet {
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
/// DependencyViolation while a network interface is in it.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    let Some(subnet) = tx.get::<Subnet>(id)? else { return Ok(()) };
    if !NetworkInterface::of_subnet(tx, id)?.is_empty() {
        return Err(refusal::has_dependencies("subnet", id));
    }
    for mut table in RouteTable::of_vpc(tx, &subnet.vpc_id)? {
        if table.disassociate_subnet(id) {
            tx.put(&table)?;
        }
    }
    tx.delete::<Subnet>(id)?;
    Ok(())
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
    fn new(endpoint: &Endpoint, subnet: Subnet, interfaces: &[NetworkInterface]) -> Result<Self, ApiError> {
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

pub(super) fn describe_subnets(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "SubnetId")?;
    let endpoint = &call.endpoint;
    let views = endpoint.store.read(|tx| {
        let interfaces = tx.list::<NetworkInterface>()?;
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
