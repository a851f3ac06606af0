//! VPCs, with what every VPC has from the start: a main route table, a default security group, a network ACL.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cidr::parse_cidr;
use super::describe::{Describe, Query};
use super::id::new_id;
use super::record::{InternetGateway, RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint, VpcSettings};
use super::refusal::{self, INVALID, dry_run};
use super::tag::{Tags, tag_set};
use super::{route_table, security_group};
use crate::error::ApiError;
use crate::quotas::VPCS;
use crate::service::Call;
use crate::store::Tx;
use crate::wire::flag;

/// Makes a VPC and what belongs to it.
///
/// # Errors
/// InvalidVpc.Range for a block that is not /16 to /28.
pub(crate) fn create(tx: &Tx<'_>, cidr_block: &str, settings: VpcSettings) -> Result<Vpc, ApiError> {
    let network = parse_cidr(cidr_block)?;
    if !(16..=28).contains(&network.prefix_len()) {
        return Err(ApiError::new("InvalidVpc.Range", format!("The CIDR '{cidr_block}' is invalid.")));
    }
    if VPCS.is_reached(tx.list::<Vpc>()?.len()) {
        return Err(ApiError::new("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
    }
    let id = new_id("vpc");
    route_table::create_main(tx, &id)?;
    let group = security_group::create_default(tx, &id)?;
    let vpc = Vpc {
        // EC2 drops host bits: 10.0.0.5/16 is 10.0.0.0/16.
        cidr_block: network.to_string(),
        cidr_association_id: new_id("vpc-cidr-assoc"),
        dhcp_options_id: new_id("dopt"),
        network_acl_id: new_id("acl"),
        default_security_group_id: group.id,
        id,
        settings,
    };
    tx.put(&vpc)?;
    Ok(vpc)
}

/// Deletes the VPC; does nothing if it is already gone.
///
/// # Errors
/// DependencyViolation while anything but its own table, group and ACL is in it.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    let Some(vpc) = tx.get::<Vpc>(id)? else { return Ok(()) };
    let tables: Vec<RouteTable> = RouteTable::of_vpc(tx, id)?;
    let groups: Vec<SecurityGroup> = SecurityGroup::of_vpc(tx, id)?;
    let in_use = tx.list::<Subnet>()?.iter().any(|subnet| subnet.vpc_id == id)
        || tx.list::<InternetGateway>()?.iter().any(|gateway| gateway.vpc_id.as_deref() == Some(id))
        || tx.list::<VpcEndpoint>()?.iter().any(|endpoint| endpoint.vpc_id == id)
        || tables.iter().any(|table| !table.is_main())
        || groups.iter().any(|group| group.id != vpc.default_security_group_id);
    if in_use {
        return Err(refusal::has_dependencies("vpc", id));
    }
    for table in tables {
        tx.delete::<RouteTable>(&table.id)?;
    }
    for group in groups {
        security_group::remove(tx, &group.id)?;
    }
    tx.delete::<Vpc>(id)?;
    Ok(())
}

impl Describe for Vpc {
    const FILTERS: &'static [&'static str] = &[
        "cidr",
        "cidr-block-association.association-id",
        "cidr-block-association.cidr-block",
        "cidr-block-association.state",
        "dhcp-options-id",
        "is-default",
        "owner-id",
        "state",
        "vpc-id",
    ];

    fn key(&self) -> &str {
        &self.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::vpc_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.settings.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "cidr" | "cidr-block-association.cidr-block" => self.cidr_block.clone(),
            "cidr-block-association.association-id" => self.cidr_association_id.clone(),
            "cidr-block-association.state" => "associated".to_owned(),
            "dhcp-options-id" => self.dhcp_options_id.clone(),
            "is-default" => "false".to_owned(),
            "state" => "available".to_owned(),
            _ => self.id.clone(),
        }]
    }
}

pub(super) fn describe_vpcs(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "VpcId")?;
    let endpoint = &call.endpoint;
    let page = query.select(endpoint.store.read(|tx| tx.list::<Vpc>())?)?;
    Ok(page.output("vpcSet", |vpc| {
        json!({
            "vpcId": vpc.id,
            "ownerId": endpoint.identity.account_id,
            "state": "available",
            "cidrBlock": vpc.cidr_block,
            "cidrBlockAssociationSet": [{
                "associationId": vpc.cidr_association_id,
                "cidrBlock": vpc.cidr_block,
                "cidrBlockState": {"state": "associated"},
            }],
            "dhcpOptionsId": vpc.dhcp_options_id,
            "instanceTenancy": vpc.settings.instance_tenancy,
            "isDefault": false,
            "tagSet": tag_set(&vpc.settings.tags),
        })
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DescribeVpcAttribute {
    vpc_id: String,
    attribute: String,
    #[serde(default, deserialize_with = "flag")]
    dry_run: Option<bool>,
}

pub(super) fn describe_vpc_attribute(call: Call) -> Result<Value, ApiError> {
    let input: DescribeVpcAttribute = call.decode()?;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    let vpc = call.endpoint.store.read(|tx| Vpc::get(tx, &input.vpc_id))?;
    let value = match input.attribute.as_str() {
        "enableDnsSupport" => vpc.settings.dns_support,
        "enableDnsHostnames" => vpc.settings.dns_hostnames,
        "enableNetworkAddressUsageMetrics" => false,
        other => {
            return Err(ApiError::new(
                INVALID,
                format!("Value ({other}) for parameter attribute is invalid. Unknown attribute."),
            ));
        }
    };
    Ok(json!({"vpcId": vpc.id, input.attribute: {"value": value}}))
}
