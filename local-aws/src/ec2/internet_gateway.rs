//! Internet gateways and their attachment to a VPC.

use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::id::new_id;
use super::record::{InternetGateway, NatGateway, Vpc};
use super::refusal;
use super::tag::{Tags, tag_set};
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

/// Makes a gateway that is attached to nothing.
pub(crate) fn create(tx: &Tx<'_>, tags: Tags) -> Result<InternetGateway, ApiError> {
    let gateway = InternetGateway { id: new_id("igw"), vpc_id: None, tags };
    tx.put(&gateway)?;
    Ok(gateway)
}

/// Deletes the gateway; does nothing if it is already gone.
///
/// # Errors
/// DependencyViolation while it is attached.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    match tx.get::<InternetGateway>(id)? {
        Some(InternetGateway { vpc_id: Some(_), .. }) => Err(refusal::has_dependencies("internetGateway", id)),
        Some(_) => tx.delete::<InternetGateway>(id).map(|_| ()),
        None => Ok(()),
    }
}

/// Attaches the gateway.
///
/// # Errors
/// Resource.AlreadyAssociated when either side is attached already.
pub(crate) fn attach(tx: &Tx<'_>, id: &str, vpc_id: &str) -> Result<(), ApiError> {
    let mut gateway = InternetGateway::get(tx, id)?;
    let vpc = Vpc::get(tx, vpc_id)?;
    let taken = |message: String| Err(ApiError::new("Resource.AlreadyAssociated", message));
    if let Some(other) = &gateway.vpc_id {
        return taken(format!("resource {id} is already attached to network {other}"));
    }
    if InternetGateway::of_vpc(tx, vpc_id)?.is_some() {
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
    let Some(mut gateway) = InternetGateway::of_vpc(tx, vpc_id)? else { return Ok(()) };
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

pub(super) fn describe_internet_gateways(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "InternetGatewayId")?;
    let endpoint = &call.endpoint;
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
