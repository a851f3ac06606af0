//! NAT gateways.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::describe::{Describe, Query, time};
use super::id::new_id;
use super::network_interface;
use super::record::{Address, InternetGateway, NatGateway, NetworkInterface, Owner, Subnet};
use super::refusal;
use super::tag::{Tags, tag_set};
use super::transition_state::TransitionState;
use crate::error::ApiError;
use crate::quotas::NAT_GATEWAYS;
use crate::service::Call;
use crate::store::Tx;

/// What a NAT gateway is made of.
pub(crate) struct NatGatewayRequest<'a> {
    pub(crate) subnet_id: &'a str,
    /// `None` makes a private gateway.
    pub(crate) allocation_id: Option<&'a str>,
    pub(crate) private_ip: Option<&'a str>,
    /// Until when it is `pending`.
    pub(crate) ready_at: Option<DateTime<Utc>>,
    pub(crate) tags: Tags,
}

/// Makes a gateway.
///
/// # Errors
/// NatGatewayLimitExceeded, InsufficientFreeAddressesInSubnet, Gateway.NotAttached in a VPC without internet gateway,
/// Resource.AlreadyAssociated for an address in use.
pub(crate) fn create(tx: &Tx<'_>, request: NatGatewayRequest<'_>) -> Result<NatGateway, ApiError> {
    let subnet = Subnet::get(tx, request.subnet_id)?;
    check_quota(tx, &subnet)?;
    let address = request.allocation_id.map(|id| public_address(tx, &subnet, id)).transpose()?;
    let id = new_id("nat");
    let interface = interface(tx, &subnet, &id, request.private_ip)?;
    let nat = NatGateway {
        id,
        vpc_id: subnet.vpc_id,
        subnet_id: subnet.id,
        network_interface_id: interface.id,
        private_ip: interface.private_ip,
        association_id: address.as_ref().map(|_| new_id("eipassoc")),
        public_ip: address.as_ref().map(|address| address.public_ip),
        allocation_id: address.map(|address| address.allocation_id),
        created_at: Utc::now(),
        transit: TransitionState::until(request.ready_at),
        tags: request.tags,
    };
    tx.put(&nat)?;
    Ok(nat)
}

fn check_quota(tx: &Tx<'_>, subnet: &Subnet) -> Result<(), ApiError> {
    let zone = |nat: &NatGateway| Ok(Subnet::get(tx, &nat.subnet_id)?.availability_zone);
    let zones = tx.list::<NatGateway>()?.iter().map(zone).collect::<Result<Vec<_>, ApiError>>()?;
    if NAT_GATEWAYS.is_reached(zones.iter().filter(|zone| **zone == subnet.availability_zone).count()) {
        return Err(ApiError::new(
            "NatGatewayLimitExceeded",
            format!("Performing this operation would exceed the limit of {} NAT gateways", NAT_GATEWAYS.value),
        ));
    }
    Ok(())
}

/// The address for a public gateway in this subnet.
fn public_address(tx: &Tx<'_>, subnet: &Subnet, allocation_id: &str) -> Result<Address, ApiError> {
    let address = Address::get(tx, allocation_id)?;
    if address.user(tx)?.is_some() {
        return Err(ApiError::new(
            "Resource.AlreadyAssociated",
            format!("Elastic IP address [{}] is already associated", address.allocation_id),
        ));
    }
    if InternetGateway::of_vpc(tx, &subnet.vpc_id)?.is_none() {
        return Err(ApiError::new(
            "Gateway.NotAttached",
            format!("Network {} has no Internet gateway attached", subnet.vpc_id),
        ));
    }
    Ok(address)
}

fn interface(tx: &Tx<'_>, subnet: &Subnet, id: &str, wanted: Option<&str>) -> Result<NetworkInterface, ApiError> {
    let owner = Owner::NatGateway(id.to_owned());
    let made = match wanted {
        Some(address) => network_interface::create_at(tx, subnet, &[], owner, address),
        None => network_interface::create(tx, subnet, &[], owner),
    };
    made.map_err(|error| match error.code.as_str() {
        // AWS has words of its own for it here.
        "InsufficientFreeAddressesInSubnet" => {
            ApiError::new(error.code, "Subnet has insufficient free addresses to create this NAT gateway")
        }
        _ => error,
    })
}

/// Deletes the gateway; does nothing if it is already gone. Routes to it become black holes.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    if let Some(nat) = tx.get::<NatGateway>(id)? {
        network_interface::delete(tx, &nat.network_interface_id)?;
        tx.delete::<NatGateway>(id)?;
    }
    Ok(())
}

impl Describe for NatGateway {
    const FILTERS: &'static [&'static str] = &["nat-gateway-id", "state", "subnet-id", "vpc-id"];

    fn key(&self) -> &str {
        &self.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::nat_gateway_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "nat-gateway-id" => self.id.clone(),
            "state" => self.transit.state().to_owned(),
            "subnet-id" => self.subnet_id.clone(),
            _ => self.vpc_id.clone(),
        }]
    }
}

pub(super) fn describe_nat_gateways(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "NatGatewayId")?;
    let endpoint = &call.endpoint;
    let page = query.select(endpoint.store.read(|tx| tx.list::<NatGateway>())?)?;
    Ok(page.output("natGatewaySet", |nat| {
        let mut address = json!({
            "networkInterfaceId": nat.network_interface_id,
            "privateIp": nat.private_ip,
            "isPrimary": true,
            "status": if nat.transit.state() == "pending" { "associating" } else { "succeeded" },
        });
        if let (Some(allocation_id), Some(public_ip), Some(association_id)) =
            (&nat.allocation_id, nat.public_ip, &nat.association_id)
        {
            address["allocationId"] = json!(allocation_id);
            address["publicIp"] = json!(public_ip);
            address["associationId"] = json!(association_id);
        }
        json!({
            "natGatewayId": nat.id,
            "vpcId": nat.vpc_id,
            "subnetId": nat.subnet_id,
            "state": nat.transit.state(),
            "connectivityType": nat.connectivity_type(),
            "availabilityMode": "zonal",
            "createTime": time(&nat.created_at),
            "natGatewayAddressSet": [address],
            "tagSet": tag_set(&nat.tags),
        })
    }))
}
