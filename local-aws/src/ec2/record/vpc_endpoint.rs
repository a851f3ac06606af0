//! VPC endpoints.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ec2::id::hash;
use crate::ec2::tag::Tags;
use crate::ec2::transition_state::TransitionState;
use crate::ec2::{prefix_list, refusal};
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// Hosted zone of the DNS names of interface endpoints in us-east-1.
const HOSTED_ZONE: &str = "Z7HUB22UULQXV";

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcEndpoint {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) service_name: String,
    pub(crate) kind: Kind,
    pub(crate) interfaces: Vec<EndpointInterface>,
    pub(crate) created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) transit: TransitionState,
    pub(crate) settings: VpcEndpointSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Gateway,
    Interface,
}

/// Where an interface endpoint is in one subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndpointInterface {
    pub(crate) id: String,
    pub(crate) subnet_id: String,
    pub(crate) availability_zone: String,
    pub(crate) private_ip: Ipv4Addr,
}

/// What can be changed of an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcEndpointSettings {
    pub(crate) route_table_ids: Vec<String>,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) private_dns: bool,
    /// JSON text; `None` is full access.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Tags,
}

impl Record for VpcEndpoint {
    const KIND: &'static str = "ec2.vpc-endpoint";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl VpcEndpoint {
    /// The endpoint with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::vpc_endpoint_not_found(id))
    }

    /// The part of the service name after the region, e.g. `ecr.api`.
    pub(crate) fn service(&self) -> &str {
        self.service_name.splitn(4, '.').nth(3).unwrap_or_default()
    }

    /// The prefix list that a gateway endpoint routes.
    pub(crate) fn prefix_list_id(&self, region: &str) -> String {
        prefix_list::id_of(self.service(), region)
    }

    fn region(&self) -> &str {
        self.service_name.split('.').nth(2).unwrap_or_default()
    }

    // `ecr.api` is reached as api.ecr.REGION.amazonaws.com, `ecr.dkr` by the registries of all accounts.
    pub(crate) fn private_dns_name(&self) -> String {
        let region = self.region();
        match self.service() {
            "ecr.api" => format!("api.ecr.{region}.amazonaws.com"),
            "ecr.dkr" => format!("*.dkr.ecr.{region}.amazonaws.com"),
            service => format!("{service}.{region}.amazonaws.com"),
        }
    }

    /// Hosted zone and name of every DNS entry: one for the region, one for each zone, the private one.
    pub(crate) fn dns_entries(&self) -> Vec<(String, String)> {
        if self.kind == Kind::Gateway {
            return Vec::new();
        }
        let suffix = &hash(&self.id)[..8];
        let domain = format!("{}.{}.vpce.amazonaws.com", self.service(), self.region());
        let mut entries = vec![(HOSTED_ZONE.to_owned(), format!("{}-{suffix}.{domain}", self.id))];
        for interface in &self.interfaces {
            entries.push((
                HOSTED_ZONE.to_owned(),
                format!("{}-{suffix}-{}.{domain}", self.id, interface.availability_zone),
            ));
        }
        if self.settings.private_dns {
            // The private name is in a zone of the endpoint's own.
            let zone = format!("Z{}", hash(&format!("{} private", self.id))[..19].to_uppercase());
            entries.push((zone, self.private_dns_name()));
        }
        entries
    }
}
