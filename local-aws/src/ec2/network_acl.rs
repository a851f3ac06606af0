//! Network ACLs: each VPC has its default one, which lets everything through.

use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::record::{Subnet, Vpc};
use super::tag::{Tags, tag_set};
use crate::error::ApiError;
use crate::service::Call;

struct View {
    vpc: Vpc,
    subnets: Vec<Subnet>,
    tags: Tags,
}

impl Describe for View {
    const FILTERS: &'static [&'static str] = &[
        "association.association-id",
        "association.network-acl-id",
        "association.subnet-id",
        "default",
        "network-acl-id",
        "owner-id",
        "vpc-id",
    ];

    fn key(&self) -> &str {
        &self.vpc.network_acl_id
    }

    fn not_found(id: &str) -> ApiError {
        ApiError::new("InvalidNetworkAclID.NotFound", format!("The networkAcl ID '{id}' does not exist"))
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "association.association-id" => {
                self.subnets.iter().map(|subnet| subnet.network_acl_association_id.clone()).collect()
            }
            "association.network-acl-id" => self.subnets.iter().map(|_| self.vpc.network_acl_id.clone()).collect(),
            "association.subnet-id" => self.subnets.iter().map(|subnet| subnet.id.clone()).collect(),
            "default" => vec!["true".to_owned()],
            "vpc-id" => vec![self.vpc.id.clone()],
            _ => vec![self.vpc.network_acl_id.clone()],
        }
    }
}

pub(super) fn describe_network_acls(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "NetworkAclId")?;
    let endpoint = &call.endpoint;
    let views = endpoint.store.read(|tx| {
        let subnets = tx.list::<Subnet>()?;
        let view = |vpc: Vpc| {
            let subnets = subnets.iter().filter(|subnet| subnet.vpc_id == vpc.id).cloned().collect();
            View { vpc, subnets, tags: Tags::new() }
        };
        Ok(tx.list::<Vpc>()?.into_iter().map(view).collect::<Vec<_>>())
    })?;
    Ok(query.select(views)?.output("networkAclSet", |view| {
        json!({
            "networkAclId": view.vpc.network_acl_id,
            "vpcId": view.vpc.id,
            "ownerId": endpoint.identity.account_id,
            "default": true,
            "associationSet": view.subnets.iter().map(|subnet| json!({
                "networkAclAssociationId": subnet.network_acl_association_id,
                "networkAclId": view.vpc.network_acl_id,
                "subnetId": subnet.id,
            })).collect::<Vec<_>>(),
            "entrySet": [entry(true, 100, "allow"), entry(true, 32767, "deny"), entry(false, 100, "allow"), entry(false, 32767, "deny")],
            "tagSet": tag_set(&view.tags),
        })
    }))
}

/// A rule about all traffic; 32767 is the number of the last one, which denies the rest.
fn entry(egress: bool, rule_number: u32, rule_action: &str) -> Value {
    json!({"cidrBlock": "0.0.0.0/0", "egress": egress, "protocol": "-1", "ruleAction": rule_action, "ruleNumber": rule_number})
}
