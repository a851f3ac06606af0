//! The rules of security groups.

use ipnet::Ipv6Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, INVALID, Query, Tags};
use super::security_group::SecurityGroup;
use super::vpc_endpoint::is_prefix_list;
use super::{new_id, refusal};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// One rule: one direction, one range of ports, one peer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) group_id: String,
    pub(crate) is_egress: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or a number.
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i64>,
    pub(crate) to_port: Option<i64>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
    /// EC2 made it together with the group.
    pub(crate) is_initial: bool,
}

/// The other side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Peer {
    Ipv4(String),
    Ipv6(String),
    PrefixList(String),
    Group(String),
}

impl Peer {
    pub(super) fn anywhere() -> Self {
        Self::Ipv4("0.0.0.0/0".to_owned())
    }

    fn text(&self) -> &str {
        match self {
            Self::Ipv4(text) | Self::Ipv6(text) | Self::PrefixList(text) | Self::Group(text) => text,
        }
    }
}

impl Record for Rule {
    const KIND: &'static str = "ec2.security-group-rule";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// A rule that a person asks for.
pub(crate) struct RuleRequest {
    pub(crate) is_egress: bool,
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i64>,
    pub(crate) to_port: Option<i64>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
}

impl Rule {
    /// All rules of a group.
    pub(crate) fn of_group(tx: &Tx<'_>, group_id: &str) -> Result<Vec<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().filter(|rule| rule.group_id == group_id).collect())
    }

    pub(super) fn all_traffic(group_id: &str, is_egress: bool, peer: Peer) -> Self {
        Self {
            id: new_id("sgr"),
            group_id: group_id.to_owned(),
            is_egress,
            protocol: "-1".to_owned(),
            from_port: None,
            to_port: None,
            peer,
            description: None,
            is_initial: true,
        }
    }

    /// The rule with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::security_group_rule_not_found(id))
    }

    /// The rule that a request stands for, checked but not written.
    fn resolve(endpoint: &Endpoint, tx: &Tx<'_>, group_id: &str, request: RuleRequest) -> Result<Self, ApiError> {
        let group = SecurityGroup::get(tx, group_id)?;
        let protocol = protocol_name(&request.protocol);
        let (from_port, to_port) = ports(&protocol, request.from_port, request.to_port)?;
        Ok(Self {
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
    ) -> Result<Self, ApiError> {
        let rule = Self::resolve(endpoint, tx, group_id, request)?;
        if Self::of_group(tx, group_id)?.iter().any(|other| other.same_as(&rule)) {
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
        let rule = Self::resolve(endpoint, tx, group_id, request)?;
        match Self::of_group(tx, group_id)?.iter().find(|other| other.same_as(&rule)) {
            Some(found) => Self::revoke(tx, &found.id),
            None => Ok(()),
        }
    }

    /// Takes back the rule that EC2 gave the group at its creation, which lets everything leave.
    pub(crate) fn revoke_initial_egress(tx: &Tx<'_>, group_id: &str) -> Result<(), ApiError> {
        for rule in Self::of_group(tx, group_id)? {
            if rule.is_egress && rule.is_initial {
                tx.delete::<Self>(&rule.id)?;
            }
        }
        Ok(())
    }

    /// Deletes a rule; does nothing if it is already gone.
    pub(crate) fn revoke(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        tx.delete::<Self>(id)?;
        Ok(())
    }

    /// Whether EC2 takes both for the same rule, whatever their descriptions.
    fn same_as(&self, other: &Self) -> bool {
        let key = |rule: &Self| (rule.is_egress, rule.protocol.clone(), rule.from_port, rule.to_port);
        key(self) == key(other) && self.peer == other.peer
    }

    fn text(&self) -> String {
        let ports = match (self.from_port, self.to_port) {
            (Some(from), Some(to)) => format!(", from port: {from}, to port: {to}"),
            _ => String::new(),
        };
        let protocol = if self.protocol == "-1" { "ALL".to_owned() } else { self.protocol.to_uppercase() };
        format!("peer: {}, {protocol}{ports}, ALLOW", self.peer.text())
    }

    /// The value of a filter such as `from-port`.
    pub(super) fn value(&self, filter: &str) -> Option<String> {
        match (filter, &self.peer) {
            ("from-port", _) => self.from_port.map(|port| port.to_string()),
            ("to-port", _) => self.to_port.map(|port| port.to_string()),
            ("protocol", _) => Some(self.protocol.clone()),
            ("cidr", Peer::Ipv4(text))
            | ("ipv6-cidr", Peer::Ipv6(text))
            | ("prefix-list-id", Peer::PrefixList(text))
            | ("group-id", Peer::Group(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

fn protocol_name(protocol: &str) -> String {
    match protocol.to_ascii_lowercase().as_str() {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        "all" => "-1".to_owned(),
        other => other.to_owned(),
    }
}

type Ports = (Option<i64>, Option<i64>);

fn ports(protocol: &str, from_port: Option<i64>, to_port: Option<i64>) -> Result<Ports, ApiError> {
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
            super::vpc::parse_cidr(&block).map(|network| Peer::Ipv4(network.to_string())).map_err(|_| malformed(&block))
        }
        Peer::Ipv6(block) => block
            .parse::<Ipv6Net>()
            .map(|network| Peer::Ipv6(network.trunc().to_string()))
            .map_err(|_| malformed(&block)),
        Peer::PrefixList(id) if is_prefix_list(&endpoint.identity.region, &id) => Ok(Peer::PrefixList(id)),
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

pub(super) fn describe_security_group_rules(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeSecurityGroupRules", input, "SecurityGroupRuleId")?;
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
