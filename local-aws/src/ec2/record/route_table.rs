//! Route tables: their routes and the subnets that use them.

use serde::{Deserialize, Serialize};

use crate::ec2::refusal;
use crate::ec2::tag::Tags;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A route table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RouteTable {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    /// Id of the association with the VPC itself: this is the VPC's main table.
    pub(crate) main_association_id: Option<String>,
    pub(crate) associations: Vec<Association>,
    /// Routes besides the local one, which every table has.
    pub(crate) routes: Vec<Route>,
    pub(crate) tags: Tags,
}

/// A subnet that uses the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) id: String,
    pub(crate) subnet_id: String,
}

/// A route that a person made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Route {
    /// An IPv4 or IPv6 block.
    pub(crate) destination: String,
    pub(crate) target: Target,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Target {
    InternetGateway(String),
    NatGateway(String),
}

impl Record for RouteTable {
    const KIND: &'static str = "ec2.route-table";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl RouteTable {
    /// The table with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::route_table_not_found(id))
    }

    /// All tables of a VPC.
    pub(crate) fn of_vpc(tx: &Tx<'_>, vpc_id: &str) -> Result<Vec<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().filter(|table| table.vpc_id == vpc_id).collect())
    }

    pub(crate) fn is_main(&self) -> bool {
        self.main_association_id.is_some()
    }

    /// Forgets the subnet; says whether it used this table.
    pub(crate) fn disassociate_subnet(&mut self, subnet_id: &str) -> bool {
        let before = self.associations.len();
        self.associations.retain(|association| association.subnet_id != subnet_id);
        self.associations.len() < before
    }
}

impl Route {
    pub(crate) fn is_ipv6(&self) -> bool {
        self.destination.contains(':')
    }
}
