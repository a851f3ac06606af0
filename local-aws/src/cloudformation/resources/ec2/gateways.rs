//! `AWS::EC2::InternetGateway`, `AWS::EC2::VPCGatewayAttachment` and `AWS::EC2::NatGateway`.

use serde::Deserialize;
use serde_json::json;

use super::properties::{INVALID, attributes, id_attribute, read, tags};
use crate::cloudformation::latency::{LOG, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list,
};
use crate::ec2::nat_gateway::NatGatewayRequest;
use crate::ec2::record::{InternetGateway, NatGateway};
use crate::ec2::{internet_gateway, nat_gateway};
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct InternetGatewayWanted {
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) struct InternetGatewayType;

impl ResourceType for InternetGatewayType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::InternetGateway"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-internetgateway.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(16, 2, 1, LOG).configured(2)] }
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: InternetGatewayWanted = read(properties)?;
        let gateway = internet_gateway::create(cx.tx, tags(cx, &wanted.tags)?)?;
        Ok(Created { attributes: id_attribute("InternetGatewayId", &gateway.id), physical_id: gateway.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: InternetGatewayWanted = read(new)?;
        let mut gateway = InternetGateway::get(cx.tx, physical_id)?;
        gateway.tags = tags(cx, &wanted.tags)?;
        cx.tx.put(&gateway)?;
        Ok(id_attribute("InternetGatewayId", physical_id))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let gateway = of.tx.get::<InternetGateway>(of.physical_id)?;
        Ok(gateway.map(|gateway| live([("Tags", tag_list(&gateway.tags))])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        internet_gateway::delete(cx.tx, physical_id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AttachmentWanted {
    vpc_id: String,
    internet_gateway_id: Option<String>,
}

impl AttachmentWanted {
    fn gateway(&self) -> Result<&str, ApiError> {
        self.internet_gateway_id.as_deref().ok_or_else(|| {
            ApiError::new("MissingParameter", "The request must contain the parameter InternetGatewayId")
        })
    }
}

/// Its physical id is that of CloudFormation's own handler: `IGW|VPC`.
pub(super) struct VpcGatewayAttachment;

impl ResourceType for VpcGatewayAttachment {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::VPCGatewayAttachment"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-vpcgatewayattachment.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(3, 2, 1, LOG)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["VpnGatewayId"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: AttachmentWanted = read(properties)?;
        internet_gateway::attach(cx.tx, wanted.gateway()?, &wanted.vpc_id)?;
        Ok(Created { physical_id: format!("IGW|{}", wanted.vpc_id), attributes: id_attribute("AttachmentType", "IGW") })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        _physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let (before, wanted): (AttachmentWanted, AttachmentWanted) = (read(old)?, read(new)?);
        if before.gateway()? != wanted.gateway()? {
            internet_gateway::detach(cx.tx, &wanted.vpc_id)?;
            internet_gateway::attach(cx.tx, wanted.gateway()?, &wanted.vpc_id)?;
        }
        Ok(id_attribute("AttachmentType", "IGW"))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let known: AttachmentWanted = read(of.declared)?;
        let gateway = InternetGateway::of_vpc(of.tx, &known.vpc_id)?;
        Ok(gateway.map(|gateway| live([("VpcId", json!(known.vpc_id)), ("InternetGatewayId", json!(gateway.id))])))
    }

    fn delete(&self, cx: &Context<'_>, _physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let known: AttachmentWanted = read(properties)?;
        internet_gateway::detach(cx.tx, &known.vpc_id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct NatGatewayWanted {
    subnet_id: Option<String>,
    allocation_id: Option<String>,
    connectivity_type: Option<String>,
    availability_mode: Option<String>,
    private_ip_address: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl NatGatewayWanted {
    fn check(&self) -> Result<(), ApiError> {
        if self.availability_mode.as_deref() == Some("regional") {
            return Err(ApiError::unsupported("The value regional of the property AvailabilityMode"));
        }
        match (self.connectivity_type.as_deref().unwrap_or("public"), &self.allocation_id) {
            ("public", None) => Err(ApiError::new(
                "MissingParameter",
                "The request must contain the parameter AllocationId: a public NAT gateway needs an Elastic IP address.",
            )),
            ("private", Some(_)) => Err(ApiError::new(
                INVALID,
                "AllocationId cannot be specified for a NAT gateway with connectivity type private.",
            )),
            _ => Ok(()),
        }
    }
}

pub(super) struct NatGatewayType;

impl ResourceType for NatGatewayType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::NatGateway"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-natgateway.json")
    }

    fn times(&self) -> &'static [Times] {
        // Creation: 84, 87, 92, 96, 96, 106, 115, 116, 118, 118, 121 s. Deletion: 37, 48, 50, 52, 56, 60, 64, 79 s.
        const {
            &[Times::new(
                105,
                2,
                55,
                "creation and deletion: eleven and eight logs of stacks and of Terraform, 84 to 121 s, 37 to 79 s",
            )]
        }
    }

    // One address each, in one zone.
    fn refused(&self) -> &'static [&'static str] {
        &[
            "AvailabilityZoneAddresses",
            "MaxDrainDurationSeconds",
            "SecondaryAllocationIds",
            "SecondaryPrivateIpAddressCount",
            "SecondaryPrivateIpAddresses",
            "VpcId",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[Refused::Value("AvailabilityMode", &["regional"])]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: NatGatewayWanted = read(properties)?;
        wanted.check()?;
        let subnet_id = wanted
            .subnet_id
            .as_deref()
            .ok_or_else(|| ApiError::new("MissingParameter", "The request must contain the parameter SubnetId"))?;
        let request = NatGatewayRequest {
            subnet_id,
            allocation_id: wanted.allocation_id.as_deref(),
            private_ip: wanted.private_ip_address.as_deref(),
            ready_at: cx.ready_at,
            tags: tags(cx, &wanted.tags)?,
        };
        let nat = nat_gateway::create(cx.tx, request)?;
        Ok(Created { attributes: shown(&nat), physical_id: nat.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: NatGatewayWanted = read(new)?;
        wanted.check()?;
        let mut nat = NatGateway::get(cx.tx, physical_id)?;
        nat.tags = tags(cx, &wanted.tags)?;
        cx.tx.put(&nat)?;
        Ok(shown(&nat))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        Ok(of.tx.get::<NatGateway>(of.physical_id)?.map(|nat| {
            live([
                ("SubnetId", json!(nat.subnet_id)),
                ("AllocationId", json!(nat.allocation_id)),
                ("ConnectivityType", json!(nat.connectivity_type())),
                ("AvailabilityMode", json!("zonal")),
                ("PrivateIpAddress", json!(nat.private_ip)),
                ("Tags", tag_list(&nat.tags)),
            ])
        }))
    }

    fn begin_deletion(&self, cx: &Context<'_>, physical_id: &str) -> Result<(), ApiError> {
        let Some(mut nat) = cx.tx.get::<NatGateway>(physical_id)? else { return Ok(()) };
        nat.transit.leave();
        cx.tx.put(&nat)
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        nat_gateway::delete(cx.tx, physical_id)
    }
}

// AutoProvisionZones, AutoScalingIps and RouteTableId are of regional gateways only.
fn shown(nat: &NatGateway) -> Properties {
    attributes([("NatGatewayId", json!(nat.id)), ("EniId", json!(nat.network_interface_id))])
}
