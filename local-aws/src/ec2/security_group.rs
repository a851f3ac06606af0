//! Security groups.

use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::id::new_id;
use super::record::{NetworkInterface, Peer, Rule, SecurityGroup, Vpc};
use super::refusal::{self, INVALID};
use super::security_group_rule::permissions;
use super::tag::{Tags, tag_set};
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

/// The group that a new VPC has: its members reach each other and everything else.
pub(super) fn create_default(tx: &Tx<'_>, vpc_id: &str) -> Result<SecurityGroup, ApiError> {
    let group = SecurityGroup {
        id: new_id("sg"),
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc_id: vpc_id.to_owned(),
        tags: Tags::new(),
    };
    tx.put(&group)?;
    tx.put(&Rule::all_traffic(&group.id, false, Peer::Group(group.id.clone())))?;
    tx.put(&Rule::all_traffic(&group.id, true, Peer::anywhere()))?;
    Ok(group)
}

/// Makes a group with the one rule that EC2 gives each: everything may leave.
///
/// # Errors
/// InvalidGroup.Duplicate for a name that the VPC has already; an unknown VPC.
pub(crate) fn create(
    tx: &Tx<'_>,
    vpc_id: &str,
    name: &str,
    description: &str,
    tags: Tags,
) -> Result<SecurityGroup, ApiError> {
    let vpc = Vpc::get(tx, vpc_id)?;
    if name.starts_with("sg-") {
        return Err(ApiError::new(
            INVALID,
            format!("Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."),
        ));
    }
    if SecurityGroup::of_vpc(tx, vpc_id)?.iter().any(|group| group.name == name) {
        return Err(ApiError::new(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{vpc_id}'"),
        ));
    }
    let group = SecurityGroup {
        id: new_id("sg"),
        name: name.to_owned(),
        description: description.to_owned(),
        vpc_id: vpc.id,
        tags,
    };
    tx.put(&group)?;
    tx.put(&Rule::all_traffic(&group.id, true, Peer::anywhere()))?;
    Ok(group)
}

/// Deletes the group with its rules; does nothing if it is already gone.
///
/// # Errors
/// DependencyViolation while an interface is in it or a rule of another group names it.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    if tx.get::<SecurityGroup>(id)?.is_none() {
        return Ok(());
    }
    let named = |rule: &Rule| rule.group_id != id && rule.peer == Peer::Group(id.to_owned());
    let is_member = |interface: &NetworkInterface| interface.group_ids.iter().any(|group| group == id);
    if tx.list::<NetworkInterface>()?.iter().any(is_member) || tx.list::<Rule>()?.iter().any(named) {
        return Err(ApiError::new("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    remove(tx, id)
}

/// Removes group and rules without asking.
pub(super) fn remove(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    for rule in Rule::of_group(tx, id)? {
        tx.delete::<Rule>(&rule.id)?;
    }
    tx.delete::<SecurityGroup>(id)?;
    Ok(())
}

/// A group with its rules.
struct View {
    group: SecurityGroup,
    rules: Vec<Rule>,
}

impl View {
    fn rule_values(&self, is_egress: bool, member: &str) -> Vec<String> {
        let rules = self.rules.iter().filter(|rule| rule.is_egress == is_egress);
        rules.filter_map(|rule| rule.value(member)).collect()
    }
}

impl Describe for View {
    const FILTERS: &'static [&'static str] = &[
        "description",
        "egress.ip-permission.cidr",
        "egress.ip-permission.from-port",
        "egress.ip-permission.group-id",
        "egress.ip-permission.ipv6-cidr",
        "egress.ip-permission.prefix-list-id",
        "egress.ip-permission.protocol",
        "egress.ip-permission.to-port",
        "group-id",
        "group-name",
        "ip-permission.cidr",
        "ip-permission.from-port",
        "ip-permission.group-id",
        "ip-permission.ipv6-cidr",
        "ip-permission.prefix-list-id",
        "ip-permission.protocol",
        "ip-permission.to-port",
        "owner-id",
        "vpc-id",
    ];

    fn key(&self) -> &str {
        &self.group.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::security_group_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.group.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        if let Some(member) = filter.strip_prefix("egress.ip-permission.") {
            return self.rule_values(true, member);
        }
        if let Some(member) = filter.strip_prefix("ip-permission.") {
            return self.rule_values(false, member);
        }
        vec![match filter {
            "description" => self.group.description.clone(),
            "group-id" => self.group.id.clone(),
            "group-name" => self.group.name.clone(),
            _ => self.group.vpc_id.clone(),
        }]
    }
}

pub(super) fn describe_security_groups(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "GroupId")?;
    let endpoint = &call.endpoint;
    let views = endpoint.store.read(|tx| {
        let view = |group: SecurityGroup| Ok(View { rules: Rule::of_group(tx, &group.id)?, group });
        tx.list::<SecurityGroup>()?.into_iter().map(view).collect::<Result<Vec<_>, ApiError>>()
    })?;
    let account = &endpoint.identity.account_id;
    Ok(query.select(views)?.output("securityGroupInfo", |View { group, rules }| {
        json!({
            "groupId": group.id,
            "groupName": group.name,
            "groupDescription": group.description,
            "securityGroupArn": endpoint.arn("ec2", &format!("security-group/{}", group.id)),
            "vpcId": group.vpc_id,
            "ownerId": account,
            "ipPermissions": permissions(rules, false, account),
            "ipPermissionsEgress": permissions(rules, true, account),
            "tagSet": tag_set(&group.tags),
        })
    }))
}
