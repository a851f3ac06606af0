//! Takes up a state that an earlier version wrote.

use std::sync::Arc;

use super::network_interface::{adopt, mac_address};
use super::record::{NatGateway, NetworkInterface, Owner, VpcEndpoint};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// Makes the records of interfaces that are there, but were not written down by themselves once.
pub(crate) fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    endpoint.store.write(|tx| {
        let gateways = tx.list::<NatGateway>()?.into_iter().map(of_gateway);
        let endpoints = tx.list::<VpcEndpoint>()?;
        gateways.chain(endpoints.iter().flat_map(of_endpoint)).try_for_each(|interface| adopt(tx, interface))
    })
}

fn of_gateway(nat: NatGateway) -> NetworkInterface {
    NetworkInterface {
        mac_address: mac_address(&nat.network_interface_id),
        id: nat.network_interface_id,
        subnet_id: nat.subnet_id,
        private_ip: nat.private_ip,
        group_ids: Vec::new(),
        owner: Owner::NatGateway(nat.id),
        created_at: nat.created_at,
    }
}

fn of_endpoint(endpoint: &VpcEndpoint) -> impl Iterator<Item = NetworkInterface> {
    endpoint.interfaces.iter().map(|interface| NetworkInterface {
        mac_address: mac_address(&interface.id),
        id: interface.id.clone(),
        subnet_id: interface.subnet_id.clone(),
        private_ip: interface.private_ip,
        group_ids: endpoint.settings.security_group_ids.clone(),
        owner: Owner::VpcEndpoint(endpoint.id.clone()),
        created_at: endpoint.created_at,
    })
}
