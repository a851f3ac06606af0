//! Elastic IP addresses.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::id::new_id;
use super::record::{Address, NatGateway};
use super::refusal::{self, INVALID};
use super::tag::{Tags, tag_set};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::quotas::ELASTIC_IPS;
use crate::service::Call;
use crate::store::Tx;
use crate::wire;

/// The blocks for documentation (RFC 5737): nobody's address is taken for ours.
const BLOCKS: [[u8; 3]; 3] = [[203, 0, 113], [198, 51, 100], [192, 0, 2]];

/// Allocates the first free address.
///
/// # Errors
/// AddressLimitExceeded when the account has as many as it may.
pub(crate) fn allocate(tx: &Tx<'_>, tags: Tags) -> Result<Address, ApiError> {
    let reached = || ApiError::new("AddressLimitExceeded", "The maximum number of addresses has been reached.");
    let taken: Vec<Ipv4Addr> = tx.list::<Address>()?.iter().map(|address| address.public_ip).collect();
    if ELASTIC_IPS.is_reached(taken.len()) {
        return Err(reached());
    }
    let addresses = BLOCKS.iter().flat_map(|[a, b, c]| (1..255).map(move |d| Ipv4Addr::new(*a, *b, *c, d)));
    let public_ip = addresses.into_iter().find(|address| !taken.contains(address)).ok_or_else(reached)?;
    let address = Address { allocation_id: new_id("eipalloc"), public_ip, tags };
    tx.put(&address)?;
    Ok(address)
}

/// Gives the address back; does nothing if it is already gone.
///
/// # Errors
/// InvalidIPAddress.InUse while a NAT gateway uses it.
pub(crate) fn release(tx: &Tx<'_>, public_ip: &str) -> Result<(), ApiError> {
    let Some(address) = Address::with_ip(tx, public_ip)? else { return Ok(()) };
    if address.user(tx)?.is_some() {
        return Err(ApiError::new("InvalidIPAddress.InUse", format!("Address {public_ip} is in use.")));
    }
    tx.delete::<Address>(&address.allocation_id)?;
    Ok(())
}

/// An address with its user.
struct View {
    address: Address,
    user: Option<NatGateway>,
    region: String,
}

impl Describe for View {
    const FILTERS: &'static [&'static str] = &[
        "allocation-id",
        "association-id",
        "domain",
        "instance-id",
        "network-border-group",
        "network-interface-id",
        "network-interface-owner-id",
        "private-ip-address",
        "public-ip",
    ];

    fn key(&self) -> &str {
        &self.address.allocation_id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::allocation_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.address.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        let of_user = |value: fn(&NatGateway) -> String| self.user.iter().map(value).collect();
        match filter {
            "allocation-id" => vec![self.address.allocation_id.clone()],
            "association-id" => self.user.iter().filter_map(|nat| nat.association_id.clone()).collect(),
            "domain" => vec!["vpc".to_owned()],
            "instance-id" => Vec::new(),
            "network-border-group" => vec![self.region.clone()],
            "network-interface-id" => of_user(|nat| nat.network_interface_id.clone()),
            "network-interface-owner-id" => Vec::new(),
            "private-ip-address" => of_user(|nat| nat.private_ip.to_string()),
            _ => vec![self.address.public_ip.to_string()],
        }
    }
}

pub(super) fn describe_addresses(mut call: Call) -> Result<Value, ApiError> {
    let public_ips = call.input.as_object_mut().and_then(|members| members.remove("PublicIp"));
    let public_ips: Vec<String> = wire::decode(INVALID, call.operation.name, public_ips.unwrap_or_else(|| json!([])))?;
    let query = Query::read(&mut call, "AllocationId")?;
    let endpoint = &call.endpoint;
    let mut views = endpoint.store.read(|tx| {
        let view =
            |address: Address| Ok(View { user: address.user(tx)?, address, region: endpoint.identity.region.clone() });
        tx.list::<Address>()?.into_iter().map(view).collect::<Result<Vec<_>, ApiError>>()
    })?;
    let shown = |view: &View, ip: &String| view.address.public_ip.to_string() == *ip;
    if let Some(missing) = public_ips.iter().find(|ip| !views.iter().any(|view| shown(view, ip))) {
        return Err(ApiError::new("InvalidAddress.NotFound", format!("Address '{missing}' not found.")));
    }
    views.retain(|view| public_ips.is_empty() || public_ips.iter().any(|ip| shown(view, ip)));
    Ok(query.select(views)?.output("addressesSet", |view| show(endpoint, view)))
}

fn show(endpoint: &Endpoint, view: &View) -> Value {
    let mut shown = json!({
        "allocationId": view.address.allocation_id,
        "publicIp": view.address.public_ip,
        "publicIpv4Pool": "amazon",
        "networkBorderGroup": view.region,
        "domain": "vpc",
        "tagSet": tag_set(&view.address.tags),
    });
    if let Some(nat) = &view.user {
        shown["associationId"] = json!(nat.association_id);
        shown["networkInterfaceId"] = json!(nat.network_interface_id);
        shown["networkInterfaceOwnerId"] = json!(endpoint.identity.account_id);
        shown["privateIpAddress"] = json!(nat.private_ip);
    }
    shown
}
