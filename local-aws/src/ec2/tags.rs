//! The tags of all resources together.

use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::record::{Address, InternetGateway, NatGateway, RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint};
use super::refusal;
use super::tag::Tags;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Call, Tagged};
use crate::store::Tx;

/// A resource with its tags.
struct Resource {
    /// EC2's name for the type, which is also the one in its ARN.
    kind: &'static str,
    id: String,
    tags: Tags,
}

/// Every resource that can have tags.
fn resources(tx: &Tx<'_>) -> Result<Vec<Resource>, ApiError> {
    let mut resources = Vec::new();
    let mut add = |kind, id, tags| resources.push(Resource { kind, id, tags });
    tx.list::<Vpc>()?.into_iter().for_each(|vpc| add("vpc", vpc.id, vpc.settings.tags));
    tx.list::<Subnet>()?.into_iter().for_each(|subnet| add("subnet", subnet.id, subnet.settings.tags));
    tx.list::<InternetGateway>()?.into_iter().for_each(|gateway| add("internet-gateway", gateway.id, gateway.tags));
    tx.list::<RouteTable>()?.into_iter().for_each(|table| add("route-table", table.id, table.tags));
    tx.list::<Address>()?.into_iter().for_each(|address| add("elastic-ip", address.allocation_id, address.tags));
    tx.list::<NatGateway>()?.into_iter().for_each(|nat| add("natgateway", nat.id, nat.tags));
    tx.list::<SecurityGroup>()?.into_iter().for_each(|group| add("security-group", group.id, group.tags));
    tx.list::<VpcEndpoint>()?.into_iter().for_each(|endpoint| add("vpc-endpoint", endpoint.id, endpoint.settings.tags));
    Ok(resources)
}

/// One tag of one resource.
struct Tag {
    kind: &'static str,
    resource_id: String,
    name: String,
    value: String,
    own: Tags,
}

impl Describe for Tag {
    const FILTERS: &'static [&'static str] = &["key", "resource-id", "resource-type", "value"];

    fn key(&self) -> &str {
        &self.resource_id
    }

    fn order(&self) -> String {
        format!("{}/{}", self.resource_id, self.name)
    }

    fn not_found(id: &str) -> ApiError {
        refusal::unknown_id(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.own)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "key" => self.name.clone(),
            "resource-id" => self.resource_id.clone(),
            "resource-type" => self.kind.to_owned(),
            _ => self.value.clone(),
        }]
    }
}

pub(super) fn describe_tags(mut call: Call) -> Result<Value, ApiError> {
    // DescribeTags has no list of ids.
    let query = Query::read(&mut call, "")?;
    let endpoint = &call.endpoint;
    let resources = endpoint.store.read(resources)?;
    let tags = resources.into_iter().flat_map(|resource| {
        let Resource { kind, id, tags } = resource;
        tags.into_iter().map(move |(key, value)| {
            let own = Tags::from([(key.clone(), value.clone())]);
            Tag { kind, resource_id: id.clone(), name: key, value, own }
        })
    });
    Ok(query.select(tags.collect())?.output(
        "tagSet",
        |tag| json!({"resourceId": tag.resource_id, "resourceType": tag.kind, "key": tag.name, "value": tag.value}),
    ))
}

/// Every tagged resource of the service.
pub(super) fn tagged(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Vec<Tagged>, ApiError> {
    let tagged = resources(tx)?.into_iter().filter(|resource| !resource.tags.is_empty());
    Ok(tagged
        .map(|resource| Tagged {
            arn: endpoint.arn("ec2", &format!("{}/{}", resource.kind, resource.id)),
            tags: resource.tags,
        })
        .collect())
}
