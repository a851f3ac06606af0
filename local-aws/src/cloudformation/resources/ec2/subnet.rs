//! `AWS::EC2::Subnet`.

use serde::Deserialize;
use serde_json::json;

use super::properties::{INVALID, attributes, read, tags};
use crate::cloudformation::latency::{LOG, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, ResourceType, live, tag_list,
};
use crate::ec2::record::{Subnet, SubnetSettings};
use crate::ec2::subnet;
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wanted {
    vpc_id: String,
    cidr_block: String,
    availability_zone: Option<String>,
    availability_zone_id: Option<String>,
    map_public_ip_on_launch: Option<bool>,
    private_dns_name_options_on_launch: Option<DnsNameOptions>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DnsNameOptions {
    hostname_type: Option<String>,
    #[serde(rename = "EnableResourceNameDnsARecord")]
    a_record: Option<bool>,
}

impl Wanted {
    fn settings(&self, cx: &Context<'_>) -> Result<SubnetSettings, ApiError> {
        let options = self.private_dns_name_options_on_launch.as_ref();
        let hostname_type = options.and_then(|options| options.hostname_type.clone());
        let hostname_type = hostname_type.unwrap_or_else(|| "ip-name".to_owned());
        if !matches!(hostname_type.as_str(), "ip-name" | "resource-name") {
            return Err(ApiError::new(
                INVALID,
                format!(
                    "Value ({hostname_type}) for parameter HostnameType is invalid. Valid values: ip-name, resource-name."
                ),
            ));
        }
        Ok(SubnetSettings {
            map_public_ip_on_launch: self.map_public_ip_on_launch.unwrap_or(false),
            hostname_type,
            resource_name_a_record: options.and_then(|options| options.a_record).unwrap_or(false),
            tags: tags(cx, &self.tags)?,
        })
    }
}

pub(super) struct SubnetType;

impl ResourceType for SubnetType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::Subnet"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-subnet.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(5, 3, 2, LOG)] }
    }

    // VPCs have no IPv6 block here, nor are there Outposts or address pools.
    fn refused(&self) -> &'static [&'static str] {
        &[
            "AssignIpv6AddressOnCreation",
            "EnableDns64",
            "EnableLniAtDeviceIndex",
            "Ipv4IpamPoolId",
            "Ipv4NetmaskLength",
            "Ipv6CidrBlock",
            "Ipv6IpamPoolId",
            "Ipv6Native",
            "Ipv6NetmaskLength",
            "OutpostArn",
            "PrivateDnsNameOptionsOnLaunch/EnableResourceNameDnsAAAARecord",
        ]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: Wanted = read(properties)?;
        let zone = match (&wanted.availability_zone, &wanted.availability_zone_id) {
            (Some(_), Some(_)) => {
                return Err(ApiError::new(
                    "InvalidParameterCombination",
                    "The parameters AvailabilityZone and AvailabilityZoneId cannot be used together",
                ));
            }
            (name, id) => name.as_ref().or(id.as_ref()).map(String::as_str),
        };
        let subnet =
            subnet::create(cx.endpoint, cx.tx, &wanted.vpc_id, &wanted.cidr_block, zone, wanted.settings(cx)?)?;
        Ok(Created { attributes: shown(&subnet), physical_id: subnet.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: Wanted = read(new)?;
        let mut subnet = Subnet::get(cx.tx, physical_id)?;
        subnet.settings = wanted.settings(cx)?;
        cx.tx.put(&subnet)?;
        Ok(shown(&subnet))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        Ok(of.tx.get::<Subnet>(of.physical_id)?.map(|subnet| {
            let SubnetSettings { hostname_type, resource_name_a_record: a_record, .. } = &subnet.settings;
            live([
                ("VpcId", json!(subnet.vpc_id)),
                ("CidrBlock", json!(subnet.cidr_block)),
                ("AvailabilityZone", json!(subnet.availability_zone)),
                ("AvailabilityZoneId", json!(subnet.availability_zone_id)),
                ("MapPublicIpOnLaunch", json!(subnet.settings.map_public_ip_on_launch)),
                (
                    "PrivateDnsNameOptionsOnLaunch",
                    json!({"HostnameType": hostname_type, "EnableResourceNameDnsARecord": a_record}),
                ),
                ("Tags", tag_list(&subnet.settings.tags)),
            ])
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        subnet::delete(cx.tx, physical_id)
    }
}

fn shown(subnet: &Subnet) -> Properties {
    attributes([
        ("SubnetId", json!(subnet.id)),
        ("VpcId", json!(subnet.vpc_id)),
        ("CidrBlock", json!(subnet.cidr_block)),
        ("AvailabilityZone", json!(subnet.availability_zone)),
        ("AvailabilityZoneId", json!(subnet.availability_zone_id)),
        ("NetworkAclAssociationId", json!(subnet.network_acl_association_id)),
        ("Ipv6CidrBlocks", json!([])),
        ("BlockPublicAccessStates", json!({"InternetGatewayBlockMode": "off"})),
        ("BlockPublicAccessStates.InternetGatewayBlockMode", json!("off")),
    ])
}
