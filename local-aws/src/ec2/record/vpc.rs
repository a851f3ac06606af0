//! VPCs.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::ec2::cidr::parse_cidr;
use crate::ec2::refusal;
use crate::ec2::tag::Tags;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    pub(crate) cidr_block: String,
    pub(crate) cidr_association_id: String,
    pub(crate) dhcp_options_id: String,
    pub(crate) network_acl_id: String,
    pub(crate) default_security_group_id: String,
    pub(crate) settings: VpcSettings,
}

/// What can be changed of a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcSettings {
    pub(crate) instance_tenancy: String,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    pub(crate) tags: Tags,
}

impl Record for Vpc {
    const KIND: &'static str = "ec2.vpc";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Vpc {
    /// The VPC with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::vpc_not_found(id))
    }

    pub(crate) fn network(&self) -> Result<Ipv4Net, ApiError> {
        parse_cidr(&self.cidr_block)
    }
}
