//! The rules of security groups.

use ipnet::Ipv6Net;
use serde_json::{Value, json};

use super::cidr::parse_cidr;
use super::describe::{Describe, Query};
use super::id::new_id;
use super::prefix_list;
use super::record::{Peer, Rule, SecurityGroup};
use super::refusal::{self, INVALID};
use super::tag::Tags;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

/// A rule that a person asks for.
pub(crate) struct RuleRequest {
    pub(crate) is_egress: bool,
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i64>,
    pub(crate) to_port: Option<i64>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
}

/// The rule that a request stands for, checked but not written.
fn resolve(endpoint: &Endpoint, tx: &Tx<'_>, group_id: &str, request: RuleRequest) -> Result<Rule, ApiError> {
    let group = SecurityGroup::get(tx, group_id)?;
    let protocol = protocol_name(&request.protocol);
    let (from_port, to_port) = ports(&protocol, request.from_port, request.to_port)?;
    Ok(Rule {
        id: new_id("sgr"),
        group_id: group.id.clone(),
        is_egress: request.is_egress,
        protocol,
        from_port,
        to_port,
        peer: check_peer(endpoint, tx, &group, request.peer)?,
        description: request.description,
        is_initial: false,
    })
}

/// Adds a rule to a group.
///
/// # Errors
/// InvalidPermission.Duplicate; ports, blocks or peers that are none.
pub(crate) fn authorize(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    group_id: &str,
    request: RuleRequest,
) -> Result<Rule, ApiError> {
    let rule = resolve(endpoint, tx, group_id, request)?;
    if Rule::of_group(tx, group_id)?.iter().any(|other| other.same_as(&rule)) {
        return Err(ApiError::new(
            "InvalidPermission.Duplicate",
            format!("the specified rule \"{}\" already exists", rule.text()),
        ));
    }
    tx.put(&rule)?;
    Ok(rule)
}

/// Takes back the rule that a request stands for, if the group has it.
pub(crate) fn revoke_like(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    group_id: &str,
    request: RuleRequest,
) -> Result<(), ApiError> {
    let rule = resolve(endpoint, tx, group_id, request)?;
    match Rule::of_group(tx, group_id)?.iter().find(|other| other.same_as(&rule)) {
        Some(found) => revoke(tx, &found.id),
        None => Ok(()),
    }
}

/// Takes back the rule that EC2 gave the group at its creation, which lets everything leave.
pub(crate) fn revoke_initial_egress(tx: &Tx<'_>, group_id: &str) -> Result<(), ApiError> {
    for rule in Rule::of_group(tx, group_id)? {
        if rule.is_egress && rule.is_initial {
            tx.delete::<Rule>(&rule.id)?;
        }
    }
    Ok(())
}

/// Deletes a rule; does nothing if it is already gone.
pub(crate) fn revoke(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    tx.delete::<Rule>(id)?;
    Ok(())
}

/// The protocol as EC2 keeps it.
pub(crate) fn protocol_name(protocol: &str) -> String {
    match protocol.to_ascii_lowercase().as_str() {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        "all" => "-1".to_owned(),
        other => other.to_owned(),
    }
}

pub(crate) type Ports = (Option<i64>, Option<i64>);

/// The ports as EC2 keeps them.
pub(crate) fn ports(protocol: &str, from_port: Option<i64>, to_port: Option<i64>) -> Result<Ports, ApiError> {
    let invalid = |message: String| Err(ApiError::new(INVALID, message));
    match protocol {
        "tcp" | "udp" => match (from_port, to_port) {
            // -1 means all ports.
            (Some(-1), Some(-1) | None) => Ok((Some(0), Some(65535))),
            (Some(from), Some(to)) if (0..=to).contains(&from) && to <= 65535 => Ok((Some(from), Some(to))),
            (Some(from), Some(to)) => invalid(format!("Invalid TCP/UDP port range ({from}:{to})")),
            _ => invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.".to_owned()),
        },
        // Type and code.
        "icmp" | "icmpv6" => Ok((Some(from_port.unwrap_or(-1)), Some(to_port.unwrap_or(-1)))),
        other if other == "-1" || other.parse::<u8>().is_ok() => Ok((None, None)),
        other => invalid(format!("Invalid value '{other}' for IP protocol. Unknown protocol.")),
    }
}

fn check_peer(endpoint: &Endpoint, tx: &Tx<'_>, group: &SecurityGroup, peer: Peer) -> Result<Peer, ApiError> {
    let malformed = |block: &str| ApiError::new(INVALID, format!("CIDR block {block} is malformed"));
    match peer {
        Peer::Ipv4(block) => {
            parse_cidr(&block).map(|network| Peer::Ipv4(network.to_string())).map_err(|_| malformed(&block))
        }
        Peer::Ipv6(block) => block
            .parse::<Ipv6Net>()
            .map(|network| Peer::Ipv6(network.trunc().to_string()))
            .map_err(|_| malformed(&block)),
        Peer::PrefixList(id) if prefix_list::exists(&endpoint.identity.region, &id) => Ok(Peer::PrefixList(id)),
        Peer::PrefixList(id) => {
            Err(ApiError::new("InvalidPrefixListID.NotFound", format!("The prefix list ID '{id}' does not exist")))
        }
        Peer::Group(id) if SecurityGroup::get(tx, &id)?.vpc_id == group.vpc_id => Ok(Peer::Group(id)),
        Peer::Group(_) => Err(ApiError::new(
            "InvalidGroup.NotFound",
            "You have specified two resources that belong to different networks.",
        )),
    }
}

/// `ipPermissions` or `ipPermissionsEgress`: the rules of one direction, those with the same ports together.
pub(super) fn permissions(rules: &[Rule], is_egress: bool, account_id: &str) -> Vec<Value> {
    let rules: Vec<&Rule> = rules.iter().filter(|rule| rule.is_egress == is_egress).collect();
    let range = |rule: &Rule| (rule.protocol.clone(), rule.from_port, rule.to_port);
    let mut ranges: Vec<_> = rules.iter().map(|rule| range(rule)).collect();
    ranges.sort();
    ranges.dedup();
    ranges
        .into_iter()
        .map(|key| permission(rules.iter().copied().filter(|rule| range(rule) == key), account_id))
        .collect()
}

fn permission<'a>(rules: impl Iterator<Item = &'a Rule>, account_id: &str) -> Value {
    let mut permission = json!({"groups": [], "ipRanges": [], "ipv6Ranges": [], "prefixListIds": []});
    for rule in rules {
        permission["ipProtocol"] = json!(rule.protocol);
        if let (Some(from_port), Some(to_port)) = (rule.from_port, rule.to_port) {
            permission["fromPort"] = json!(from_port);
            permission["toPort"] = json!(to_port);
        }
        let (list, mut peer) = match &rule.peer {
            Peer::Ipv4(block) => ("ipRanges", json!({"cidrIp": block})),
            Peer::Ipv6(block) => ("ipv6Ranges", json!({"cidrIpv6": block})),
            Peer::PrefixList(id) => ("prefixListIds", json!({"prefixListId": id})),
            Peer::Group(id) => ("groups", json!({"groupId": id, "userId": account_id})),
        };
        if let Some(description) = &rule.description {
            peer["description"] = json!(description);
        }
        if let Some(peers) = permission[list].as_array_mut() {
            peers.push(peer);
        }
    }
    permission
}

impl Describe for Rule {
    const FILTERS: &'static [&'static str] = &["group-id", "security-group-rule-id"];

    fn key(&self) -> &str {
        &self.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::security_group_rule_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![if filter == "group-id" { self.group_id.clone() } else { self.id.clone() }]
    }
}

pub(super) fn describe_security_group_rules(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "SecurityGroupRuleId")?;
    let endpoint = &call.endpoint;
    let page = query.select(endpoint.store.read(|tx| tx.list::<Rule>())?)?;
    Ok(page.output("securityGroupRuleSet", |rule| show(endpoint, rule)))
}

fn show(endpoint: &Endpoint, rule: &Rule) -> Value {
    let account = &endpoint.identity.account_id;
    let mut shown = json!({
        "securityGroupRuleId": rule.id,
        "securityGroupRuleArn": endpoint.arn("ec2", &format!("security-group-rule/{}", rule.id)),
        "groupId": rule.group_id,
        "groupOwnerId": account,
        "isEgress": rule.is_egress,
        "ipProtocol": rule.protocol,
        "fromPort": rule.from_port.unwrap_or(-1),
        "toPort": rule.to_port.unwrap_or(-1),
        "tagSet": [],
    });
    let (member, peer) = match &rule.peer {
        Peer::Ipv4(block) => ("cidrIpv4", json!(block)),
        Peer::Ipv6(block) => ("cidrIpv6", json!(block)),
        Peer::PrefixList(id) => ("prefixListId", json!(id)),
        Peer::Group(id) => ("referencedGroupInfo", json!({"groupId": id, "userId": account})),
    };
    shown[member] = peer;
    if let Some(description) = &rule.description {
        shown["description"] = json!(description);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_checked_for_the_protocols_that_have_them() {
        assert_eq!(ports("tcp", Some(443), Some(443)).unwrap(), (Some(443), Some(443)));
        assert_eq!(ports("tcp", Some(-1), Some(-1)).unwrap(), (Some(0), Some(65535)));
        assert_eq!(ports("-1", Some(443), Some(443)).unwrap(), (None, None));
        assert_eq!(ports("icmp", Some(8), None).unwrap(), (Some(8), Some(-1)));
        for (protocol, from, to) in
            [("tcp", Some(5), Some(4)), ("udp", Some(1), Some(65536)), ("tcp", None, None), ("gopher", None, None)]
        {
            assert_eq!(ports(protocol, from, to).unwrap_err().code, INVALID);
        }
        assert_eq!(protocol_name("6"), "tcp");
    }
}
