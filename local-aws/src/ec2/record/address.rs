//! Elastic IP addresses.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::nat_gateway::NatGateway;
use crate::ec2::refusal;
use crate::ec2::tag::Tags;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// An Elastic IP address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) allocation_id: String,
    pub(crate) public_ip: Ipv4Addr,
    pub(crate) tags: Tags,
}

impl Record for Address {
    const KIND: &'static str = "ec2.address";
    fn id(&self) -> String {
        self.allocation_id.clone()
    }
}

impl Address {
    /// The address with this allocation id.
    pub(crate) fn get(tx: &Tx<'_>, allocation_id: &str) -> Result<Self, ApiError> {
        tx.get(allocation_id)?.ok_or_else(|| refusal::allocation_not_found(allocation_id))
    }

    /// The address with this public IP, if there is one.
    pub(crate) fn with_ip(tx: &Tx<'_>, public_ip: &str) -> Result<Option<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().find(|address| address.public_ip.to_string() == public_ip))
    }

    /// The NAT gateway that uses the address, if any.
    pub(crate) fn user(&self, tx: &Tx<'_>) -> Result<Option<NatGateway>, ApiError> {
        let uses = |nat: &NatGateway| nat.allocation_id.as_deref() == Some(&self.allocation_id);
        Ok(tx.list::<NatGateway>()?.into_iter().find(uses))
    }
}
