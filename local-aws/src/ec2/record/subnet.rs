//! Subnets.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::ec2::cidr::parse_cidr;
use crate::ec2::refusal;
use crate::ec2::tag::Tags;
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
}
