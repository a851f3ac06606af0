//! NAT gateways.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ec2::refusal;
use crate::ec2::tag::Tags;
use crate::ec2::transition_state::TransitionState;
use crate::error::ApiError;
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

impl NatGateway {
    /// The gateway with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::nat_gateway_not_found(id))
    }

    pub(crate) fn connectivity_type(&self) -> &'static str {
        if self.allocation_id.is_some() { "public" } else { "private" }
    }
}
