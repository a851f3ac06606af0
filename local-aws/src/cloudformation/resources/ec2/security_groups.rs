//! `AWS::EC2::SecurityGroup` and its rules, inside it or as resources of their own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::properties::{attributes, id_attribute, read, tags};
use crate::cloudformation::latency::{CREATED, TYPICAL, Times};
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, ResourceType, live, tag_list,
};
use crate::ec2::record::{Peer, Rule, SecurityGroup};
use crate::ec2::security_group_rule::RuleRequest;
use crate::ec2::{security_group, security_group_rule};
use crate::error::ApiError;
use crate::tag::Tag;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct GroupWanted {
    group_description: String,
    group_name: Option<String>,
    vpc_id: Option<String>,
    #[serde(default)]
    security_group_ingress: Vec<RuleWanted>,
    #[serde(default)]
    security_group_egress: Vec<RuleWanted>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// A rule; `GroupId` is of standalone ones.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RuleWanted {
    group_id: Option<String>,
    ip_protocol: String,
    from_port: Option<i64>,
    to_port: Option<i64>,
    cidr_ip: Option<String>,
    #[serde(rename = "CidrIpv6")]
    cidr_ipv6: Option<String>,
    #[serde(alias = "DestinationPrefixListId")]
    source_prefix_list_id: Option<String>,
    #[serde(alias = "DestinationSecurityGroupId")]
    source_security_group_id: Option<String>,
    source_security_group_owner_id: Option<String>,
    description: Option<String>,
}

impl RuleWanted {
    /// The schema allows exactly one.
    fn peer(&self) -> Option<Peer> {
        None.or_else(|| self.cidr_ip.clone().map(Peer::Ipv4))
            .or_else(|| self.cidr_ipv6.clone().map(Peer::Ipv6))
            .or_else(|| self.source_prefix_list_id.clone().map(Peer::PrefixList))
            .or_else(|| self.source_security_group_id.clone().map(Peer::Group))
    }

    fn request(&self, cx: &Context<'_>, is_egress: bool) -> Result<RuleRequest, ApiError> {
        let account = &cx.endpoint.identity.account_id;
        if let Some(owner) = self.source_security_group_owner_id.as_ref().filter(|owner| *owner != account) {
            return Err(ApiError::unsupported(format!("A security group of another account ({owner})")));
        }
        let missing = || ApiError::new("MissingParameter", "A security group rule needs a source or destination.");
        let peer = self.peer().ok_or_else(missing)?;
        Ok(RuleRequest {
            is_egress,
            protocol: self.ip_protocol.clone(),
            from_port: self.from_port,
            to_port: self.to_port,
            peer,
            description: self.description.clone(),
        })
    }

    fn authorize(&self, cx: &Context<'_>, group_id: &str, is_egress: bool) -> Result<Rule, ApiError> {
        security_group_rule::authorize(cx.endpoint, cx.tx, group_id, self.request(cx, is_egress)?)
    }

    /// The same for a rule inside its group; gives what EC2 says when the group has it. CloudFormation makes a group although
    /// a rule is there twice.
    fn ensure(&self, cx: &Context<'_>, group_id: &str, is_egress: bool) -> Result<Option<String>, ApiError> {
        match self.authorize(cx, group_id, is_egress) {
            Err(error) if error.code == "InvalidPermission.Duplicate" => Ok(Some(error.message)),
            result => result.map(|_| None),
        }
    }
}

impl GroupWanted {
    /// Ingress and egress rules, each with its direction.
    fn rules(&self) -> Vec<(bool, &RuleWanted)> {
        let ingress = self.security_group_ingress.iter().map(|rule| (false, rule));
        ingress.chain(self.security_group_egress.iter().map(|rule| (true, rule))).collect()
    }
}

pub(super) struct SecurityGroupType;

impl ResourceType for SecurityGroupType {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::SecurityGroup"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-securitygroup.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(10, 3, 2, CREATED)] }
    }

    // Names of groups are of EC2-Classic and default VPCs.
    fn refused(&self) -> &'static [&'static str] {
        &["SecurityGroupIngress/*/SourceSecurityGroupName"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: GroupWanted = read(properties)?;
        let vpc_id = wanted
            .vpc_id
            .as_deref()
            .ok_or_else(|| ApiError::new("VPCIdNotSpecified", "No default VPC for this user"))?;
        let name = wanted.group_name.clone().unwrap_or_else(|| cx.generated_name(255));
        let group = security_group::create(cx.tx, vpc_id, &name, &wanted.group_description, tags(cx, &wanted.tags)?)?;
        // A group with egress rules of its own does not have the one that lets everything leave.
        if !wanted.security_group_egress.is_empty() {
            security_group_rule::revoke_initial_egress(cx.tx, &group.id)?;
        }
        for (is_egress, rule) in wanted.rules() {
            cx.remark.replace(rule.ensure(cx, &group.id, is_egress)?.or(cx.remark.take()));
        }
        Ok(Created { attributes: shown(&group), physical_id: group.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let (before, wanted): (GroupWanted, GroupWanted) = (read(old)?, read(new)?);
        let mut group = SecurityGroup::get(cx.tx, physical_id)?;
        group.tags = tags(cx, &wanted.tags)?;
        cx.tx.put(&group)?;
        if !wanted.security_group_egress.is_empty() {
            security_group_rule::revoke_initial_egress(cx.tx, physical_id)?;
        }
        // Rules that did not change keep their ids, and those that are resources of their own are not touched.
        let (old_rules, new_rules) = (before.rules(), wanted.rules());
        for (is_egress, rule) in old_rules.iter().filter(|rule| !new_rules.contains(rule)) {
            security_group_rule::revoke_like(cx.endpoint, cx.tx, physical_id, rule.request(cx, *is_egress)?)?;
        }
        // One that stays may have been the same rule as one that went, in other words (`6` and `tcp`).
        for (is_egress, rule) in new_rules.iter().filter(|rule| old_rules.contains(rule)) {
            rule.ensure(cx, physical_id, *is_egress)?;
        }
        for (is_egress, rule) in new_rules.iter().filter(|rule| !old_rules.contains(rule)) {
            cx.remark.replace(rule.ensure(cx, physical_id, *is_egress)?.or(cx.remark.take()));
        }
        Ok(shown(&group))
    }

    /// Without the rules that are resources of their own in the same stack.
    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(group) = of.tx.get::<SecurityGroup>(of.physical_id)? else { return Ok(None) };
        let declared: GroupWanted = read(of.declared)?;
        let is_own = |rule: &Rule| of.siblings.iter().all(|sibling| sibling.physical_id != rule.id);
        let rules: Vec<Rule> = Rule::of_group(of.tx, &group.id)?.into_iter().filter(is_own).collect();
        let of_direction = |is_egress: bool| -> Value {
            let rules = rules.iter().filter(|rule| rule.is_egress == is_egress);
            rules.map(|rule| shown_rule(rule, &declared.rules())).collect()
        };
        Ok(Some(live([
            ("GroupName", json!(group.name)),
            ("GroupDescription", json!(group.description)),
            ("VpcId", json!(group.vpc_id)),
            ("SecurityGroupIngress", of_direction(false)),
            ("SecurityGroupEgress", of_direction(true)),
            ("Tags", tag_list(&group.tags)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        security_group::delete(cx.tx, physical_id)
    }
}

fn shown(group: &SecurityGroup) -> Properties {
    attributes([("Id", json!(group.id)), ("GroupId", json!(group.id)), ("VpcId", json!(group.vpc_id))])
}

/// A rule as it is, in the words of the template where that says the same (`6` and `tcp`).
fn shown_rule(rule: &Rule, declared: &[(bool, &RuleWanted)]) -> Value {
    let is_same = |wanted: &RuleWanted| {
        let protocol = security_group_rule::protocol_name(&wanted.ip_protocol);
        let ports = security_group_rule::ports(&protocol, wanted.from_port, wanted.to_port).ok();
        wanted.peer().as_ref() == Some(&rule.peer)
            && protocol == rule.protocol
            && ports == Some((rule.from_port, rule.to_port))
    };
    let same = declared.iter().find(|(is_egress, wanted)| *is_egress == rule.is_egress && is_same(wanted));
    let words = same.map(|(_, wanted)| (wanted.ip_protocol.clone(), wanted.from_port, wanted.to_port));
    let (protocol, from, to) = words.unwrap_or_else(|| (rule.protocol.clone(), rule.from_port, rule.to_port));
    let (list, group) = if rule.is_egress {
        ("DestinationPrefixListId", "DestinationSecurityGroupId")
    } else {
        ("SourcePrefixListId", "SourceSecurityGroupId")
    };
    let (name, peer) = match &rule.peer {
        Peer::Ipv4(block) => ("CidrIp", block),
        Peer::Ipv6(block) => ("CidrIpv6", block),
        Peer::PrefixList(id) => (list, id),
        Peer::Group(id) => (group, id),
    };
    let owner = same.and_then(|(_, wanted)| wanted.source_security_group_owner_id.clone());
    Value::Object(live([
        ("IpProtocol", json!(protocol)),
        ("FromPort", json!(from)),
        ("ToPort", json!(to)),
        (name, json!(peer)),
        ("SourceSecurityGroupOwnerId", json!(owner)),
        ("Description", json!(rule.description)),
    ]))
}

/// A standalone rule as it is.
fn live_rule(of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
    let Some(rule) = of.tx.get::<Rule>(of.physical_id)? else { return Ok(None) };
    let declared: RuleWanted = read(of.declared)?;
    let mut shown = shown_rule(&rule, &[(rule.is_egress, &declared)]);
    shown["GroupId"] = json!(rule.group_id);
    Ok(shown.as_object().cloned())
}

/// Makes a standalone rule.
fn create_rule(cx: &Context<'_>, properties: &Properties, is_egress: bool) -> Result<Created, ApiError> {
    let wanted: RuleWanted = read(properties)?;
    let group_id = wanted
        .group_id
        .as_deref()
        .ok_or_else(|| ApiError::new("MissingParameter", "The request must contain the parameter GroupId"))?;
    if is_egress {
        security_group_rule::revoke_initial_egress(cx.tx, group_id)?;
    }
    let rule = wanted.authorize(cx, group_id, is_egress)?;
    Ok(Created { attributes: id_attribute("Id", &rule.id), physical_id: rule.id })
}

/// Only the description can change in place.
fn update_rule(cx: &Context<'_>, id: &str, new: &Properties) -> Result<Properties, ApiError> {
    let wanted: RuleWanted = read(new)?;
    let mut rule = Rule::get(cx.tx, id)?;
    rule.description = wanted.description;
    cx.tx.put(&rule)?;
    Ok(id_attribute("Id", id))
}

pub(super) struct SecurityGroupEgress;

impl ResourceType for SecurityGroupEgress {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::SecurityGroupEgress"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-securitygroupegress.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(3, 3, 2, TYPICAL)] }
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        create_rule(cx, properties, true)
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        update_rule(cx, physical_id, new)
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        live_rule(of)
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        security_group_rule::revoke(cx.tx, physical_id)
    }
}

pub(super) struct SecurityGroupIngress;

impl ResourceType for SecurityGroupIngress {
    fn type_name(&self) -> &'static str {
        "AWS::EC2::SecurityGroupIngress"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-ec2-securitygroupingress.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(3, 3, 2, TYPICAL)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["GroupName", "SourceSecurityGroupName"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        create_rule(cx, properties, false)
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        update_rule(cx, physical_id, new)
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        live_rule(of)
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        security_group_rule::revoke(cx.tx, physical_id)
    }
}
