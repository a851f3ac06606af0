//! `AWS::EC2::VPC`.

use serde::Deserialize;
use serde_json::json;

use super::properties::{attributes, read, tags};
use crate::cloudformation::latency::{LOG, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, ResourceType, live, tag_list,
};
use crate::ec2::record::{Vpc, VpcSettings};
use crate::ec2::vpc;
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wanted {
    cidr_block: String,
    enable_dns_hostnames: Option<bool>,
    enable_dns_support: Option<bool>,
    instance_tenancy: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Wanted {
    fn settings(&self, cx: &Context<'_>) -> Result<VpcSettings, ApiError> {
        Ok(VpcSettings {
            instance_tenancy: self.instance_tenancy.clone().unwrap_or_else(|| "default".to_owned()),
            dns_support: self.enable_dns_support.unwrap_or(true),
            dns_hostnames: self.enable_dns_hostnames.unwrap_or(false),
            tags: tags(cx, &self.tags)?,
        })
    }
}

pub(super) struct VpcType;

impl ResourceType for VpcType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::VPC"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-vpc.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(13, 3, 2, LOG)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: Wanted = read(properties)?;
        let vpc = vpc::create(cx.tx, &wanted.cidr_block, wanted.settings(cx)?)?;
        Ok(Created { attributes: shown(&vpc), physical_id: vpc.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: Wanted = read(new)?;
        let mut vpc = Vpc::get(cx.tx, physical_id)?;
        vpc.settings = wanted.settings(cx)?;
        cx.tx.put(&vpc)?;
        Ok(shown(&vpc))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        Ok(of.tx.get::<Vpc>(of.physical_id)?.map(|vpc| {
            live([
                ("CidrBlock", json!(vpc.cidr_block)),
                ("InstanceTenancy", json!(vpc.settings.instance_tenancy)),
                ("EnableDnsSupport", json!(vpc.settings.dns_support)),
                ("EnableDnsHostnames", json!(vpc.settings.dns_hostnames)),
                ("Tags", tag_list(&vpc.settings.tags)),
            ])
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        vpc::delete(cx.tx, physical_id)
    }
}

fn shown(vpc: &Vpc) -> Properties {
    attributes([
        ("VpcId", json!(vpc.id)),
        ("CidrBlock", json!(vpc.cidr_block)),
        ("CidrBlockAssociations", json!([vpc.cidr_association_id])),
        ("DefaultNetworkAcl", json!(vpc.network_acl_id)),
        ("DefaultSecurityGroup", json!(vpc.default_security_group_id)),
        ("Ipv6CidrBlocks", json!([])),
    ])
}
