//! Internet gateways.

use serde::{Deserialize, Serialize};

use crate::ec2::refusal;
use crate::ec2::tag::Tags;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// An internet gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InternetGateway {
    pub(crate) id: String,
    /// The VPC that it is attached to.
    pub(crate) vpc_id: Option<String>,
    pub(crate) tags: Tags,
}

impl Record for InternetGateway {
    const KIND: &'static str = "ec2.internet-gateway";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl InternetGateway {
    /// The gateway with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::internet_gateway_not_found(id))
    }

    /// The gateway of a VPC, if one is attached.
    pub(crate) fn of_vpc(tx: &Tx<'_>, vpc_id: &str) -> Result<Option<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().find(|gateway| gateway.vpc_id.as_deref() == Some(vpc_id)))
    }
}
