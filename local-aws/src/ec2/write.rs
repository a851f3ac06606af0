//! The calls that change or delete: what a person does to a network by hand. CloudFormation has made what they find.

use serde::Deserialize;
use serde_json::{Value, json};

use super::record::{
    Address, InternetGateway, NatGateway, Peer, RouteTable, Rule, SecurityGroup, Subnet, Target, Vpc, VpcEndpoint,
};
use super::refusal::{self, INVALID, dry_run};
use super::security_group_rule::{self, RuleRequest};
use super::{address, internet_gateway, nat_gateway, route, route_table, security_group, subnet, vpc, vpc_endpoint};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;
use crate::wire::{flag, number};

/// Declares an input of `DryRun` and these members.
macro_rules! input {
    ($name:ident { $($(#[$meta:meta])* $member:ident: $kind:ty),* $(,)? }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "PascalCase")]
        struct $name {
            $($(#[$meta])* $member: $kind,)*
            #[serde(default, deserialize_with = "flag")]
            dry_run: Option<bool>,
        }

        impl Tried for $name {
            fn is_tried(&self) -> bool {
                self.dry_run == Some(true)
            }
        }
    };
}

/// An input that may only be tried.
trait Tried {
    fn is_tried(&self) -> bool;
}

/// Reads the input and does it in one transaction.
fn change<I: Tried + serde::de::DeserializeOwned>(
    call: &Call,
    work: impl FnOnce(&Endpoint, &Tx<'_>, I) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let input: I = call.decode()?;
    if input.is_tried() {
        return Err(dry_run());
    }
    call.endpoint.store.write(|tx| work(&call.endpoint, tx, input))?;
    Ok(json!({"return": true}))
}

input!(OfVpc { vpc_id: String });
input!(OfSubnet { subnet_id: String });
input!(OfGateway { internet_gateway_id: String });
input!(Attachment { internet_gateway_id: String, vpc_id: String });
input!(OfRouteTable { route_table_id: String });
input!(OfAssociation { association_id: String });
input!(OfRoute { route_table_id: String, destination_cidr_block: String });
input!(RouteTarget {
    route_table_id: String,
    destination_cidr_block: String,
    gateway_id: Option<String>,
    nat_gateway_id: Option<String>,
});
input!(OfNat { nat_gateway_id: String });
input!(OfAddress { allocation_id: String });
input!(OfGroup { group_id: String });
input!(OfEndpoints { vpc_endpoint_id: Vec<String> });
input!(VpcAttribute {
    vpc_id: String,
    enable_dns_support: Option<AttributeValue>,
    enable_dns_hostnames: Option<AttributeValue>,
});
input!(SubnetAttribute { subnet_id: String, map_public_ip_on_launch: Option<AttributeValue> });
input!(OfRules { group_id: String, ip_permissions: Vec<Permission> });
input!(OfTags { resource_id: Vec<String>, #[serde(default)] tag: Vec<Tag> });

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AttributeValue {
    #[serde(default, deserialize_with = "flag")]
    value: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Permission {
    ip_protocol: String,
    #[serde(default, deserialize_with = "number")]
    from_port: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    to_port: Option<i64>,
    #[serde(default)]
    ip_ranges: Vec<Range>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Range {
    cidr_ip: String,
    description: Option<String>,
}

pub(super) fn delete_vpc(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfVpc| {
        Vpc::get(tx, &input.vpc_id)?;
        vpc::delete(tx, &input.vpc_id)
    })
}

pub(super) fn modify_vpc_attribute(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: VpcAttribute| {
        let mut vpc = Vpc::get(tx, &input.vpc_id)?;
        let settings = &mut vpc.settings;
        for (attribute, setting) in [
            (input.enable_dns_support, &mut settings.dns_support),
            (input.enable_dns_hostnames, &mut settings.dns_hostnames),
        ] {
            *setting = attribute.and_then(|attribute| attribute.value).unwrap_or(*setting);
        }
        tx.put(&vpc)
    })
}

pub(super) fn delete_subnet(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfSubnet| {
        Subnet::get(tx, &input.subnet_id)?;
        subnet::delete(tx, &input.subnet_id)
    })
}

pub(super) fn modify_subnet_attribute(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: SubnetAttribute| {
        let mut subnet = Subnet::get(tx, &input.subnet_id)?;
        if let Some(value) = input.map_public_ip_on_launch.and_then(|attribute| attribute.value) {
            subnet.settings.map_public_ip_on_launch = value;
        }
        tx.put(&subnet)
    })
}

pub(super) fn delete_internet_gateway(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfGateway| {
        InternetGateway::get(tx, &input.internet_gateway_id)?;
        internet_gateway::delete(tx, &input.internet_gateway_id)
    })
}

pub(super) fn attach_internet_gateway(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: Attachment| internet_gateway::attach(tx, &input.internet_gateway_id, &input.vpc_id))
}

pub(super) fn detach_internet_gateway(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: Attachment| {
        let Attachment { internet_gateway_id: id, vpc_id, .. } = input;
        if InternetGateway::get(tx, &id)?.vpc_id.as_ref() != Some(&vpc_id) {
            let message = format!("resource {id} is not attached to network {vpc_id}");
            return Err(ApiError::new("Gateway.NotAttached", message));
        }
        internet_gateway::detach(tx, &vpc_id)
    })
}

pub(super) fn delete_route_table(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfRouteTable| {
        RouteTable::get(tx, &input.route_table_id)?;
        route_table::delete(tx, &input.route_table_id)
    })
}

pub(super) fn disassociate_route_table(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfAssociation| {
        let id = &input.association_id;
        let tables = tx.list::<RouteTable>()?;
        let is_there = tables.iter().any(|table| table.associations.iter().any(|association| association.id == *id));
        if !is_there {
            let message = format!("The association ID '{id}' does not exist");
            return Err(ApiError::new("InvalidAssociationID.NotFound", message));
        }
        route_table::disassociate(tx, id)
    })
}

impl RouteTarget {
    fn target(&self) -> Result<Target, ApiError> {
        match (&self.gateway_id, &self.nat_gateway_id) {
            (Some(id), None) => Ok(Target::InternetGateway(id.clone())),
            (None, Some(id)) => Ok(Target::NatGateway(id.clone())),
            _ => Err(ApiError::new(
                INVALID,
                "The local endpoint has routes to one internet gateway (GatewayId) or one NAT gateway (NatGatewayId).",
            )),
        }
    }
}

pub(super) fn create_route(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: RouteTarget| {
        route::create(tx, &input.route_table_id, &input.destination_cidr_block, input.target()?).map(drop)
    })
}

pub(super) fn replace_route(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: RouteTarget| {
        route::replace(tx, &input.route_table_id, &input.destination_cidr_block, input.target()?)
    })
}

pub(super) fn delete_route(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfRoute| {
        let OfRoute { route_table_id: table, destination_cidr_block: block, .. } = input;
        if !RouteTable::get(tx, &table)?.routes.iter().any(|route| route.destination == block) {
            let message = format!("no route with destination-cidr-block {block} in route table {table}");
            return Err(ApiError::new("InvalidRoute.NotFound", message));
        }
        route::delete(tx, &table, &block)
    })
}

pub(super) fn delete_nat_gateway(call: Call) -> Result<Value, ApiError> {
    let id = call.input["NatGatewayId"].clone();
    change(&call, |_, tx, input: OfNat| {
        NatGateway::get(tx, &input.nat_gateway_id)?;
        nat_gateway::delete(tx, &input.nat_gateway_id)
    })?;
    Ok(json!({"natGatewayId": id}))
}

pub(super) fn release_address(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfAddress| {
        let address = Address::get(tx, &input.allocation_id)?;
        if address.user(tx)?.is_some() {
            let message = format!("Address with allocation id [{}] is in use.", input.allocation_id);
            return Err(ApiError::new("InvalidIPAddress.InUse", message));
        }
        address::release(tx, &address.public_ip.to_string())
    })
}

pub(super) fn delete_vpc_endpoints(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfEndpoints| {
        input.vpc_endpoint_id.iter().try_for_each(|id| {
            VpcEndpoint::get(tx, id)?;
            vpc_endpoint::delete(tx, id)
        })
    })?;
    Ok(json!({"unsuccessful": []}))
}

pub(super) fn delete_security_group(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfGroup| {
        SecurityGroup::get(tx, &input.group_id)?;
        security_group::delete(tx, &input.group_id)
    })
}

impl OfRules {
    fn requests(self, is_egress: bool) -> impl Iterator<Item = RuleRequest> {
        self.ip_permissions.into_iter().flat_map(move |permission| {
            let Permission { ip_protocol, from_port, to_port, ip_ranges } = permission;
            ip_ranges.into_iter().map(move |range| RuleRequest {
                is_egress,
                protocol: ip_protocol.clone(),
                from_port,
                to_port,
                peer: Peer::Ipv4(range.cidr_ip),
                description: range.description,
            })
        })
    }
}

pub(super) fn authorize_ingress(call: Call) -> Result<Value, ApiError> {
    authorize(&call, false)
}

pub(super) fn authorize_egress(call: Call) -> Result<Value, ApiError> {
    authorize(&call, true)
}

fn authorize(call: &Call, is_egress: bool) -> Result<Value, ApiError> {
    change(call, |endpoint, tx, input: OfRules| {
        let group = input.group_id.clone();
        input
            .requests(is_egress)
            .try_for_each(|rule| security_group_rule::authorize(endpoint, tx, &group, rule).map(drop))
    })
}

pub(super) fn revoke_ingress(call: Call) -> Result<Value, ApiError> {
    revoke(&call, false)
}

pub(super) fn revoke_egress(call: Call) -> Result<Value, ApiError> {
    revoke(&call, true)
}

fn revoke(call: &Call, is_egress: bool) -> Result<Value, ApiError> {
    change(call, |endpoint, tx, input: OfRules| {
        let group = input.group_id.clone();
        input.requests(is_egress).try_for_each(|rule| {
            let before = Rule::of_group(tx, &group)?.len();
            security_group_rule::revoke_like(endpoint, tx, &group, rule)?;
            if Rule::of_group(tx, &group)?.len() < before {
                return Ok(());
            }
            let message = "The specified rule does not exist in this security group.";
            Err(ApiError::new("InvalidPermission.NotFound", message))
        })
    })
}

pub(super) fn create_tags(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfTags| {
        if let Some(reserved) = input.tag.iter().find(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
            let message = format!("Tag keys starting with 'aws:' are reserved for internal use: {}", reserved.key);
            return Err(ApiError::new(INVALID, message));
        }
        retag(tx, &input.resource_id, |tags| {
            for Tag { key, value } in &input.tag {
                tags.insert(key.clone(), value.clone().unwrap_or_default());
            }
        })
    })
}

pub(super) fn delete_tags(call: Call) -> Result<Value, ApiError> {
    change(&call, |_, tx, input: OfTags| {
        retag(tx, &input.resource_id, |tags| {
            let is_meant = |key: &String, value: &String| {
                let mut named = input.tag.iter();
                named.any(|tag| tag.key == *key && tag.value.as_ref().is_none_or(|wanted| wanted == value))
            };
            // Without any, all go but AWS's own.
            let all = input.tag.is_empty();
            tags.retain(|key, value| key.starts_with("aws:") || !(all || is_meant(key, value)));
        })
    })
}

/// Changes the tags of a resource that is looked up by its id.
macro_rules! retagged {
    ($tx:ident, $id:ident, $change:ident, $kind:ident, $($tags:ident).+) => {{
        let mut found = $kind::get($tx, $id)?;
        $change(&mut found.$($tags).+);
        $tx.put(&found)
    }};
}

fn retag(tx: &Tx<'_>, ids: &[String], change: impl Fn(&mut super::tag::Tags)) -> Result<(), ApiError> {
    ids.iter().try_for_each(|id| match id.split('-').next().unwrap_or_default() {
        "vpc" => retagged!(tx, id, change, Vpc, settings.tags),
        "subnet" => retagged!(tx, id, change, Subnet, settings.tags),
        "igw" => retagged!(tx, id, change, InternetGateway, tags),
        "rtb" => retagged!(tx, id, change, RouteTable, tags),
        "nat" => retagged!(tx, id, change, NatGateway, tags),
        "eipalloc" => retagged!(tx, id, change, Address, tags),
        "sg" => retagged!(tx, id, change, SecurityGroup, tags),
        "vpce" => retagged!(tx, id, change, VpcEndpoint, settings.tags),
        _ => Err(refusal::unknown_id(id)),
    })
}
