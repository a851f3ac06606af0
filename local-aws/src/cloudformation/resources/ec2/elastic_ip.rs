//! `AWS::EC2::EIP`.

use serde::Deserialize;
use serde_json::json;

use super::properties::{INVALID, attributes, read, tags};
use crate::cloudformation::latency::{LOG, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, ResourceType, live, tag_list,
};
use crate::ec2::address;
use crate::ec2::record::Address;
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wanted {
    domain: Option<String>,
    network_border_group: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Wanted {
    fn check(&self, cx: &Context<'_>) -> Result<(), ApiError> {
        if let Some(domain) = self.domain.as_deref().filter(|domain| !domain.eq_ignore_ascii_case("vpc")) {
            return Err(ApiError::new(
                INVALID,
                format!("Value ({domain}) for parameter domain is invalid. EC2-Classic is gone: it must be vpc."),
            ));
        }
        let region = &cx.endpoint.identity.region;
        match &self.network_border_group {
            Some(group) if group != region => Err(ApiError::new(
                INVALID,
                format!("Value ({group}) for parameter networkBorderGroup is invalid. It must be {region}."),
            )),
            _ => Ok(()),
        }
    }
}

/// Its physical id, and so what `Ref` gives, is the address itself.
pub(super) struct ElasticIp;

impl ResourceType for ElasticIp {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::EIP"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-eip.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(16, 2, 2, LOG).configured(2)] }
    }

    // There are no instances here, and no address pools to take one out of.
    fn refused(&self) -> &'static [&'static str] {
        &["Address", "InstanceId", "IpamPoolId", "PublicIpv4Pool", "TransferAddress"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: Wanted = read(properties)?;
        wanted.check(cx)?;
        let address = address::allocate(cx.tx, tags(cx, &wanted.tags)?)?;
        Ok(Created { physical_id: address.public_ip.to_string(), attributes: shown(&address) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: Wanted = read(new)?;
        wanted.check(cx)?;
        let mut address = Address::with_ip(cx.tx, physical_id)?
            .ok_or_else(|| ApiError::new("InvalidAddress.NotFound", format!("Address '{physical_id}' not found.")))?;
        address.tags = tags(cx, &wanted.tags)?;
        cx.tx.put(&address)?;
        Ok(shown(&address))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        Ok(Address::with_ip(of.tx, of.physical_id)?.map(|address| {
            live([
                ("Domain", json!("vpc")),
                ("NetworkBorderGroup", json!(of.endpoint.identity.region)),
                ("Tags", tag_list(&address.tags)),
            ])
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        address::release(cx.tx, physical_id)
    }
}

fn shown(address: &Address) -> Properties {
    attributes([("AllocationId", json!(address.allocation_id)), ("PublicIp", json!(address.public_ip))])
}
