//! Security groups and their rules.

use serde::{Deserialize, Serialize};

use crate::ec2::id::new_id;
use crate::ec2::refusal;
use crate::ec2::tag::Tags;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc_id: String,
    pub(crate) tags: Tags,
}

impl Record for SecurityGroup {
    const KIND: &'static str = "ec2.security-group";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl SecurityGroup {
    /// The group with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::security_group_not_found(id))
    }

    /// All groups of a VPC.
    pub(crate) fn of_vpc(tx: &Tx<'_>, vpc_id: &str) -> Result<Vec<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().filter(|group| group.vpc_id == vpc_id).collect())
    }
}

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
    pub(crate) fn anywhere() -> Self {
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

impl Rule {
    /// The rule with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| refusal::security_group_rule_not_found(id))
    }

    /// All rules of a group.
    pub(crate) fn of_group(tx: &Tx<'_>, group_id: &str) -> Result<Vec<Self>, ApiError> {
        Ok(tx.list::<Self>()?.into_iter().filter(|rule| rule.group_id == group_id).collect())
    }

    pub(crate) fn all_traffic(group_id: &str, is_egress: bool, peer: Peer) -> Self {
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

    /// Whether EC2 takes both for the same rule, whatever their descriptions.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let key = |rule: &Self| (rule.is_egress, rule.protocol.clone(), rule.from_port, rule.to_port);
        key(self) == key(other) && self.peer == other.peer
    }

    pub(crate) fn text(&self) -> String {
        let ports = match (self.from_port, self.to_port) {
            (Some(from), Some(to)) => format!(", from port: {from}, to port: {to}"),
            _ => String::new(),
        };
        let protocol = if self.protocol == "-1" { "ALL".to_owned() } else { self.protocol.to_uppercase() };
        format!("peer: {}, {protocol}{ports}, ALLOW", self.peer.text())
    }

    /// The value of a filter such as `from-port`.
    pub(crate) fn value(&self, filter: &str) -> Option<String> {
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
