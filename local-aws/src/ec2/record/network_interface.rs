//! Network interfaces. Nobody makes one by itself: NAT gateways and interface endpoints have them, and what services run
//! in a subnet.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::store::{Record, Tx};

/// An interface, which takes up one address of its subnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkInterface {
    pub(crate) id: String,
    pub(crate) subnet_id: String,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) mac_address: String,
    pub(crate) group_ids: Vec<String>,
    pub(crate) owner: Owner,
    pub(crate) created_at: DateTime<Utc>,
}

/// Whose interface it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Owner {
    /// The id of the gateway.
    NatGateway(String),
    /// The id of the endpoint.
    VpcEndpoint(String),
    /// What a service runs in the subnet, as it describes it.
    Service(String),
}

impl Record for NetworkInterface {
    const KIND: &'static str = "ec2.network-interface";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl NetworkInterface {
    /// All interfaces in a subnet.
    pub(crate) fn of_subnet(tx: &Tx<'_>, subnet_id: &str) -> Result<Vec<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().filter(|interface| interface.subnet_id == subnet_id).collect())
    }
}
