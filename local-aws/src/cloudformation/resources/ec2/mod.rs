//! The VPC family of `AWS::EC2`.

mod elastic_ip;
mod gateways;
mod routing;
mod security_groups;
mod subnet;
mod vpc;
mod vpc_endpoint;

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::resource_type::{Context, Properties, ResourceType};
use crate::error::ApiError;

pub(super) const TYPES: &[&dyn ResourceType] = &[
    &elastic_ip::ElasticIp,
    &gateways::InternetGatewayType,
    &gateways::NatGatewayType,
    &gateways::VpcGatewayAttachment,
    &routing::RouteTableType,
    &routing::RouteType,
    &routing::SubnetRouteTableAssociation,
    &security_groups::SecurityGroupType,
    &security_groups::SecurityGroupEgress,
    &security_groups::SecurityGroupIngress,
    &subnet::SubnetType,
    &vpc::VpcType,
    &vpc_endpoint::VpcEndpointType,
];

/// The code of a property that cannot be.
const INVALID: &str = "InvalidParameterValue";

/// Reads a resource's properties.
fn read<T: DeserializeOwned>(properties: &Properties) -> Result<T, ApiError> {
    crate::wire::decode(INVALID, "properties", Value::Object(properties.clone()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// The resource's own tags over those of the stack.
fn tags(cx: &Context<'_>, own: &[Tag]) -> Result<BTreeMap<String, String>, ApiError> {
    if let Some(reserved) = own.iter().find(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(ApiError::new(
            INVALID,
            format!("Tag keys starting with 'aws:' are reserved for internal use: {}", reserved.key),
        ));
    }
    let own = own.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
    Ok(cx.tags.clone().into_iter().chain(own).collect())
}

fn attributes<const N: usize>(values: [(&str, Value); N]) -> Properties {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The attributes of a resource whose only one is its id.
fn id_attribute(name: &str, id: &str) -> Properties {
    attributes([(name, json!(id))])
}
