//! Internet gateways and their attachment to a VPC.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, Query, Tags, tag_set};
use super::nat_gateway::NatGateway;
use super::vpc::Vpc;
use super::{new_id, refusal};
use crate::endpoint::Endpoint;
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

    /// Makes a gateway that is attached to nothing.
    pub(crate) fn create(tx: &Tx<'_>, tags: Tags) -> Result<Self, ApiError> {
        let gateway = Self { id: new_id("igw"), vpc_id: None, tags };
        tx.put(&gateway)?;
        Ok(gateway)
    }

    /// Deletes the gateway; does nothing if it is already gone.
    ///
    /// # Errors
    /// DependencyViolation while it is attached.
    pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        match tx.get::<Self>(id)? {
            Some(Self { vpc_id: Some(_), .. }) => Err(refusal::has_dependencies("internetGateway", id)),
            Some(_) => tx.delete::<Self>(id).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Attaches the gateway.
    ///
    /// # Errors
    /// Resource.AlreadyAssociated when either side is attached already.
    pub(crate) fn attach(tx: &Tx<'_>, id: &str, vpc_id: &str) -> Result<(), ApiError> {
        let mut gateway = Self::get(tx, id)?;
        let vpc = Vpc::get(tx, vpc_id)?;
        let taken = |message: String| Err(ApiError::new("Resource.AlreadyAssociated", message));
        if let Some(other) = &gateway.vpc_id {
            return taken(format!("resource {id} is already attached to network {other}"));
        }
        if Self::of_vpc(tx, vpc_id)?.is_some() {
            return taken(format!("Network {vpc_id} already has an internet gateway attached"));
        }
        gateway.vpc_id = Some(vpc.id);
        tx.put(&gateway)
    }

    /// Detaches whatever gateway the VPC has; none is no error.
    ///
    /// # Errors
    /// DependencyViolation while something in the VPC has a public address.
    pub(crate) fn detach(tx: &Tx<'_>, vpc_id: &str) -> Result<(), ApiError> {
        let Some(mut gateway) = Self::of_vpc(tx, vpc_id)? else { return Ok(()) };
        if tx.list::<NatGateway>()?.iter().any(|nat| nat.vpc_id == vpc_id && nat.allocation_id.is_some()) {
            return Err(ApiError::new(
                "DependencyViolation",
                format!(
                    "Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
                ),
            ));
        }
        gateway.vpc_id = None;
        tx.put(&gateway)
    }
}

impl Describe for InternetGateway {
    const FILTERS: &'static [&'static str] =
        &["attachment.state", "attachment.vpc-id", "internet-gateway-id", "owner-id"];

    fn key(&self) -> &str {
        &self.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::internet_gateway_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "attachment.state" => self.vpc_id.iter().map(|_| "available".to_owned()).collect(),
            "attachment.vpc-id" => self.vpc_id.iter().cloned().collect(),
            _ => vec![self.id.clone()],
        }
    }
}

pub(super) fn describe_internet_gateways(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeInternetGateways", input, "InternetGatewayId")?;
    let page = query.select(endpoint.store.read(|tx| tx.list::<InternetGateway>())?)?;
    Ok(page.output("internetGatewaySet", |gateway| {
        let attachments: Vec<Value> =
            gateway.vpc_id.iter().map(|vpc_id| json!({"vpcId": vpc_id, "state": "available"})).collect();
        json!({
            "internetGatewayId": gateway.id,
            "ownerId": endpoint.identity.account_id,
            "attachmentSet": attachments,
            "tagSet": tag_set(&gateway.tags),
        })
    }))
}
