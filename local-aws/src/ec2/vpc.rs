//! VPCs, with what every VPC has from the start: a main route table, a default security group, a network ACL.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, INVALID, Query, Tags, dry_run, tag_set};
use super::internet_gateway::InternetGateway;
use super::route_table::RouteTable;
use super::security_group::SecurityGroup;
use super::subnet::Subnet;
use super::vpc_endpoint::VpcEndpoint;
use super::{new_id, refusal};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::quotas::VPCS;
use crate::store::{Record, Tx};
use crate::wire::{decode, flag};

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    pub(crate) cidr_block: String,
    pub(crate) cidr_association_id: String,
    pub(crate) dhcp_options_id: String,
    pub(crate) network_acl_id: String,
    pub(crate) default_security_group_id: String,
    pub(crate) settings: VpcSettings,
}

/// What can be changed of a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcSettings {
    pub(crate) instance_tenancy: String,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    pub(crate) tags: Tags,
}

impl Record for Vpc {
    const KIND: &'static str = "ec2.vpc";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Vpc {
    /// The VPC with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::vpc_not_found(id))
    }

    pub(crate) fn network(&self) -> Result<Ipv4Net, ApiError> {
        parse_cidr(&self.cidr_block)
    }

    /// Makes a VPC and what belongs to it.
    ///
    /// # Errors
    /// InvalidVpc.Range for a block that is not /16 to /28.
    pub(crate) fn create(tx: &Tx<'_>, cidr_block: &str, settings: VpcSettings) -> Result<Self, ApiError> {
        let network = parse_cidr(cidr_block)?;
        if !(16..=28).contains(&network.prefix_len()) {
            return Err(ApiError::new("InvalidVpc.Range", format!("The CIDR '{cidr_block}' is invalid.")));
        }
        if VPCS.is_reached(tx.list::<Self>()?.len()) {
            return Err(ApiError::new("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
        }
        let id = new_id("vpc");
        RouteTable::create_main(tx, &id)?;
        let group = SecurityGroup::create_default(tx, &id)?;
        let vpc = Self {
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
    /// DependencyViolation while something of a person's is in it.
    pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        let Some(vpc) = tx.get::<Self>(id)? else { return Ok(()) };
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
            group.remove(tx)?;
        }
        tx.delete::<Self>(id)?;
        Ok(())
    }
}

/// Reads an IPv4 block and drops its host bits.
pub(crate) fn parse_cidr(cidr_block: &str) -> Result<Ipv4Net, ApiError> {
    cidr_block.parse::<Ipv4Net>().map(|network| network.trunc()).map_err(|_| {
        ApiError::new(
            INVALID,
            format!("Value ({cidr_block}) for parameter cidrBlock is invalid. This is not a valid CIDR block."),
        )
    })
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

pub(super) fn describe_vpcs(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeVpcs", input, "VpcId")?;
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

pub(super) fn describe_vpc_attribute(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let input: DescribeVpcAttribute = decode(INVALID, "DescribeVpcAttribute", input)?;
    if input.dry_run == Some(true) {
        return Err(dry_run());
    }
    let vpc = endpoint.store.read(|tx| Vpc::get(tx, &input.vpc_id))?;
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
