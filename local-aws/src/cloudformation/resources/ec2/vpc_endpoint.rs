//! `AWS::EC2::VPCEndpoint`.

use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::{Value, json};

use super::properties::{attributes, read, tags};
use crate::cloudformation::latency::{CREATED, TYPICAL, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list,
};
use crate::ec2::record::{Kind, VpcEndpoint, VpcEndpointSettings};
use crate::ec2::transition_state::TransitionState;
use crate::ec2::vpc_endpoint;
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wanted {
    vpc_id: String,
    service_name: Option<String>,
    vpc_endpoint_type: Option<String>,
    ip_address_type: Option<String>,
    dns_options: Option<DnsOptions>,
    private_dns_enabled: Option<bool>,
    policy_document: Option<Value>,
    #[serde(default)]
    route_table_ids: Vec<String>,
    #[serde(default)]
    subnet_ids: Vec<String>,
    #[serde(default)]
    security_group_ids: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DnsOptions {
    dns_record_ip_type: Option<String>,
}

impl Wanted {
    fn kind(&self) -> Result<Kind, ApiError> {
        match self.vpc_endpoint_type.as_deref().unwrap_or("Gateway") {
            "Gateway" => Ok(Kind::Gateway),
            "Interface" => Ok(Kind::Interface),
            other => Err(ApiError::unsupported(format!("The value {other} of the property VpcEndpointType"))),
        }
    }

    fn settings(&self, cx: &Context<'_>) -> Result<VpcEndpointSettings, ApiError> {
        let ip_type = self.ip_address_type.as_ref().filter(|kind| !matches!(kind.as_str(), "ipv4" | "not-specified"));
        if let Some(other) = ip_type {
            return Err(ApiError::unsupported(format!("The value {other} of the property IpAddressType")));
        }
        let record_type = self.dns_options.as_ref().and_then(|options| options.dns_record_ip_type.as_deref());
        if let Some(other) = record_type.filter(|kind| !matches!(*kind, "ipv4" | "not-specified")) {
            return Err(ApiError::unsupported(format!("The value {other} of the property DnsOptions/DnsRecordIpType")));
        }
        Ok(VpcEndpointSettings {
            route_table_ids: self.route_table_ids.clone(),
            subnet_ids: self.subnet_ids.clone(),
            security_group_ids: self.security_group_ids.clone(),
            private_dns: self.private_dns_enabled.unwrap_or(false),
            policy: self.policy_document.as_ref().map(|policy| match policy {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            tags: tags(cx, &self.tags)?,
        })
    }
}

pub(super) struct VpcEndpointType;

impl ResourceType for VpcEndpointType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::VPCEndpoint"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-vpcendpoint.json")
    }

    fn times(&self) -> &'static [Times] {
        const {
            &[
                Times { only: Some(("VpcEndpointType", "Interface")), ..Times::new(60, 30, 60, TYPICAL) },
                Times::new(3, 3, 5, CREATED),
            ]
        }
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "DnsOptions/PrivateDnsOnlyForInboundResolverEndpoint",
            "DnsOptions/PrivateDnsPreference",
            "DnsOptions/PrivateDnsSpecifiedDomains",
            "ResourceConfigurationArn",
            "ServiceNetworkArn",
            "ServiceRegion",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[
            Refused::Value("VpcEndpointType", &["GatewayLoadBalancer", "Resource", "ServiceNetwork"]),
            Refused::Value("IpAddressType", &["ipv6", "dualstack"]),
            Refused::Value("DnsOptions/DnsRecordIpType", &["ipv6", "dualstack", "service-defined"]),
        ]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: Wanted = read(properties)?;
        let service_name = wanted
            .service_name
            .as_deref()
            .ok_or_else(|| ApiError::new("MissingParameter", "The request must contain the parameter ServiceName"))?;
        let kind = wanted.kind()?;
        // A gateway endpoint is but routes: it is available at once.
        let ready_at = cx.ready_at.filter(|_| kind == Kind::Interface);
        let endpoint = vpc_endpoint::create(
            cx.endpoint,
            cx.tx,
            &wanted.vpc_id,
            service_name,
            kind,
            TransitionState::until(ready_at),
            wanted.settings(cx)?,
        )?;
        Ok(Created { attributes: shown(&endpoint), physical_id: endpoint.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted: Wanted = read(new)?;
        let endpoint = VpcEndpoint::get(cx.tx, physical_id)?;
        let endpoint = vpc_endpoint::apply(cx.endpoint, cx.tx, endpoint, wanted.settings(cx)?)?;
        Ok(shown(&endpoint))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        Ok(of.tx.get::<VpcEndpoint>(of.physical_id)?.map(|endpoint| {
            let (kind, settings) = (endpoint.kind, endpoint.settings);
            live([
                ("VpcId", json!(endpoint.vpc_id)),
                ("ServiceName", json!(endpoint.service_name)),
                ("VpcEndpointType", json!(if kind == Kind::Gateway { "Gateway" } else { "Interface" })),
                ("IpAddressType", of.declared.get("IpAddressType").cloned().unwrap_or_default()),
                ("DnsOptions", of.declared.get("DnsOptions").cloned().unwrap_or_default()),
                ("PrivateDnsEnabled", json!(settings.private_dns)),
                ("PolicyDocument", json!(settings.policy)),
                ("RouteTableIds", json!(settings.route_table_ids)),
                ("SubnetIds", json!(settings.subnet_ids)),
                ("SecurityGroupIds", json!(settings.security_group_ids)),
                ("Tags", tag_list(&settings.tags)),
            ])
        }))
    }

    fn begin_deletion(&self, cx: &Context<'_>, physical_id: &str) -> Result<(), ApiError> {
        let Some(mut endpoint) = cx.tx.get::<VpcEndpoint>(physical_id)? else { return Ok(()) };
        endpoint.transit.leave();
        cx.tx.put(&endpoint)
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        vpc_endpoint::delete(cx.tx, physical_id)
    }
}

fn shown(endpoint: &VpcEndpoint) -> Properties {
    let dns_entries: Vec<String> =
        endpoint.dns_entries().into_iter().map(|(zone, name)| format!("{zone}:{name}")).collect();
    attributes([
        ("Id", json!(endpoint.id)),
        ("CreationTimestamp", json!(endpoint.created_at.to_rfc3339_opts(SecondsFormat::Millis, true))),
        ("DnsEntries", json!(dns_entries)),
        ("NetworkInterfaceIds", json!(endpoint.interfaces.iter().map(|interface| &interface.id).collect::<Vec<_>>())),
    ])
}
