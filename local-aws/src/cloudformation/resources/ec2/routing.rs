//! `AWS::EC2::RouteTable`, `AWS::EC2::Route` and `AWS::EC2::SubnetRouteTableAssociation`.

use serde::Deserialize;
use serde_json::json;

use super::properties::{INVALID, id_attribute, read, tags};
use crate::cloudformation::latency::{LOG, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, ResourceType, live, tag_list,
};
use crate::ec2::record::{RouteTable, Target};
use crate::ec2::{route, route_table};
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RouteTableWanted {
    vpc_id: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) struct RouteTableType;

impl ResourceType for RouteTableType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::RouteTable"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-routetable.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(12, 2, 1, LOG).configured(2)] }
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: RouteTableWanted = read(properties)?;
        let table = route_table::create(cx.tx, &wanted.vpc_id, tags(cx, &wanted.tags)?)?;
        Ok(Created { attributes: id_attribute("RouteTableId", &table.id), physical_id: table.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: RouteTableWanted = read(new)?;
        let mut table = RouteTable::get(cx.tx, physical_id)?;
        table.tags = tags(cx, &wanted.tags)?;
        cx.tx.put(&table)?;
        Ok(id_attribute("RouteTableId", physical_id))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let table = of.tx.get::<RouteTable>(of.physical_id)?;
        Ok(table.map(|table| live([("VpcId", json!(table.vpc_id)), ("Tags", tag_list(&table.tags))])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        route_table::delete(cx.tx, physical_id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RouteWanted {
    route_table_id: String,
    destination_cidr_block: Option<String>,
    #[serde(rename = "DestinationIpv6CidrBlock")]
    destination_ipv6_cidr_block: Option<String>,
    gateway_id: Option<String>,
    nat_gateway_id: Option<String>,
}

impl RouteWanted {
    fn destination(&self) -> Result<&str, ApiError> {
        match (&self.destination_cidr_block, &self.destination_ipv6_cidr_block) {
            (Some(block), None) | (None, Some(block)) => Ok(block),
            (None, None) => Err(ApiError::new(
                "MissingParameter",
                "Either 'destinationCidrBlock', 'destinationIpv6CidrBlock' or 'destinationPrefixListId' should be provided.",
            )),
            (Some(_), Some(_)) => Err(ApiError::new(
                "InvalidParameterCombination",
                "The parameters destinationCidrBlock and destinationIpv6CidrBlock cannot be used together",
            )),
        }
    }

    fn target(&self) -> Result<Target, ApiError> {
        match (&self.gateway_id, &self.nat_gateway_id) {
            (Some(id), None) if id.starts_with("igw-") => Ok(Target::InternetGateway(id.clone())),
            (Some(id), None) if id.starts_with("vgw-") || id.starts_with("vpce-") || id == "local" => {
                Err(ApiError::unsupported(format!("The target {id} of a route")))
            }
            (Some(id), None) => {
                Err(ApiError::new("InvalidGatewayID.NotFound", format!("The gateway ID '{id}' does not exist")))
            }
            (None, Some(id)) => Ok(Target::NatGateway(id.clone())),
            (None, None) => Err(ApiError::new(
                "MissingParameter",
                "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, carrierGatewayId, vpcEndpointId, coreNetworkArn or instanceId",
            )),
            (Some(_), Some(_)) => Err(ApiError::new(
                INVALID,
                "The parameters gatewayId and natGatewayId cannot be used together: a route has one target.",
            )),
        }
    }
}

/// Its physical id is that of CloudFormation's own handler: `TABLE|DESTINATION`.
pub(super) struct RouteType;

impl ResourceType for RouteType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::Route"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-route.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(2, 2, 1, LOG)] }
    }

    // Targets and destinations that do not exist here.
    fn refused(&self) -> &'static [&'static str] {
        &[
            "CarrierGatewayId",
            "CoreNetworkArn",
            "DestinationPrefixListId",
            "EgressOnlyInternetGatewayId",
            "InstanceId",
            "LocalGatewayId",
            "NetworkInterfaceId",
            "OdbNetworkArn",
            "TransitGatewayId",
            "VpcEndpointId",
            "VpcPeeringConnectionId",
        ]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: RouteWanted = read(properties)?;
        let destination = route::create(cx.tx, &wanted.route_table_id, wanted.destination()?, wanted.target()?)?;
        Ok(Created {
            physical_id: format!("{}|{destination}", wanted.route_table_id),
            attributes: id_attribute("CidrBlock", &destination),
        })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: RouteWanted = read(new)?;
        route::replace(cx.tx, &wanted.route_table_id, wanted.destination()?, wanted.target()?)?;
        let destination = physical_id.split_once('|').map_or(physical_id, |(_, destination)| destination);
        Ok(id_attribute("CidrBlock", destination))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let known: RouteWanted = read(of.declared)?;
        let Some(table) = of.tx.get::<RouteTable>(&known.route_table_id)? else { return Ok(None) };
        let destination = of.physical_id.split_once('|').map_or(known.destination()?, |(_, destination)| destination);
        let route = table.routes.into_iter().find(|route| route.destination == destination);
        Ok(route.map(|route| {
            let (gateway, nat) = match route.target {
                Target::InternetGateway(id) => (Some(id), None),
                Target::NatGateway(id) => (None, Some(id)),
            };
            live([
                ("RouteTableId", json!(known.route_table_id)),
                ("DestinationCidrBlock", json!(known.destination_cidr_block)),
                ("DestinationIpv6CidrBlock", json!(known.destination_ipv6_cidr_block)),
                ("GatewayId", json!(gateway)),
                ("NatGatewayId", json!(nat)),
            ])
        }))
    }

    fn delete(&self, cx: &Context<'_>, _physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let known: RouteWanted = read(properties)?;
        route::delete(cx.tx, &known.route_table_id, known.destination()?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AssociationWanted {
    route_table_id: String,
    subnet_id: String,
}

pub(super) struct SubnetRouteTableAssociation;

impl ResourceType for SubnetRouteTableAssociation {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::SubnetRouteTableAssociation"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-subnetroutetableassociation.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(2, 2, 16, LOG)] }
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: AssociationWanted = read(properties)?;
        let id = route_table::associate(cx.tx, &wanted.route_table_id, &wanted.subnet_id)?;
        Ok(Created { attributes: id_attribute("Id", &id), physical_id: id })
    }

    // Both properties are create-only.
    fn update(
        &self,
        _cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        _new: &Properties,
    ) -> Result<Properties, ApiError> {
        Ok(id_attribute("Id", physical_id))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let tables = of.tx.list::<RouteTable>()?;
        let mut all = tables.iter().flat_map(|table| table.associations.iter().map(move |it| (table, it)));
        let found = all.find(|(_, association)| association.id == of.physical_id);
        Ok(found.map(|(table, association)| {
            live([("RouteTableId", json!(table.id)), ("SubnetId", json!(association.subnet_id))])
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        route_table::disassociate(cx.tx, physical_id)
    }
}
