//! NAT gateways.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::Address;
use super::describe::{Describe, Query, Tags, tag_set, time};
use super::internet_gateway::InternetGateway;
use super::new_id;
use super::subnet::Subnet;
use super::transition_state::TransitionState;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::quotas::NAT_GATEWAYS;
use crate::store::{Record, Tx};

/// A NAT gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NatGateway {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) subnet_id: String,
    pub(crate) network_interface_id: String,
    pub(crate) private_ip: Ipv4Addr,
    /// Address of a public gateway; a private one has none.
    pub(crate) allocation_id: Option<String>,
    pub(crate) public_ip: Option<Ipv4Addr>,
    pub(crate) association_id: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) transit: TransitionState,
    pub(crate) tags: Tags,
}

impl Record for NatGateway {
    const KIND: &'static str = "ec2.nat-gateway";
    fn id(&self) -> String {
        self.id.clone()
    }
}

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

impl NatGateway {
    /// The gateway with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| not_found(id))
    }

    pub(super) fn connectivity_type(&self) -> &'static str {
        if self.allocation_id.is_some() { "public" } else { "private" }
    }

    /// Makes a gateway.
    ///
    /// # Errors
    /// NatGatewayLimitExceeded, Gateway.NotAttached in a VPC without internet gateway, Resource.AlreadyAssociated for an address in use.
    pub(crate) fn create(endpoint: &Endpoint, tx: &Tx<'_>, request: NatGatewayRequest<'_>) -> Result<Self, ApiError> {
        let subnet = Subnet::get(tx, request.subnet_id)?;
        let zone = |nat: &Self| Ok(Subnet::get(tx, &nat.subnet_id)?.availability_zone);
        let zones = tx.list::<Self>()?.iter().map(zone).collect::<Result<Vec<_>, ApiError>>()?;
        if NAT_GATEWAYS.is_reached(zones.iter().filter(|zone| **zone == subnet.availability_zone).count()) {
            return Err(ApiError::new(
                "NatGatewayLimitExceeded",
                format!("Performing this operation would exceed the limit of {} NAT gateways", NAT_GATEWAYS.value),
            ));
        }
        let address = request.allocation_id.map(|id| Address::get(tx, id)).transpose()?;
        if let Some(address) = &address {
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
        }
        let nat = Self {
            id: new_id("nat"),
            vpc_id: subnet.vpc_id.clone(),
            subnet_id: subnet.id.clone(),
            network_interface_id: new_id("eni"),
            private_ip: subnet.free_address(endpoint, tx, request.private_ip)?,
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

    /// Deletes the gateway; does nothing if it is already gone. Routes to it become black holes.
    pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        tx.delete::<Self>(id)?;
        Ok(())
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::new("NatGatewayNotFound", format!("The Nat Gateway {id} was not found"))
}

impl Describe for NatGateway {
    const FILTERS: &'static [&'static str] = &["nat-gateway-id", "state", "subnet-id", "vpc-id"];

    fn key(&self) -> &str {
        &self.id
    }

    fn not_found(id: &str) -> ApiError {
        not_found(id)
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

pub(super) fn describe_nat_gateways(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeNatGateways", input, "NatGatewayId")?;
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
