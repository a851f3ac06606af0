//! What bears our tag, of whatever service. The tagging service forgets late, so of what the services themselves were
//! asked about with tags, their word counts and not this one's.

use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::{Gone, Survivor};
use crate::aws::clients::Clients;
use crate::environment::{ENVIRONMENT_TAG, NETWORK_TAG_VALUE};
use crate::error::{Doing, Result};

/// Parts of ARNs that this question is not the one to answer.
const ASKED_ELSEWHERE: [&str; 11] = [
    // A deregistered task definition stays, INACTIVE and with its tags, and costs nothing.
    ":task-definition/",
    ":stack/",
    ":cluster/",
    ":task/",
    ":natgateway/",
    ":elastic-ip/",
    ":vpc/",
    ":network-interface/",
    ":vpc-endpoint/",
    ":experiment-template/",
    // FIS keeps experiments for 120 days.
    ":experiment/",
];

/// No VPC can be deleted before these.
const INSIDE_A_VPC: [&str; 3] = [":subnet/", ":security-group/", ":route-table/"];

pub(super) async fn find(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let mut values: Vec<String> = gone.environments.iter().map(ToString::to_string).collect();
    values.extend(gone.network.then(|| NETWORK_TAG_VALUE.to_owned()));
    let mut found = Vec::new();
    for values in values.chunks(VALUES_AT_ONCE) {
        let filter = TagFilter::builder().key(ENVIRONMENT_TAG).set_values(Some(values.to_vec())).build();
        let pages = clients.tagging.get_resources().tag_filters(filter).into_paginator().items().send();
        let resources = pages.collect::<std::result::Result<Vec<_>, _>>().await;
        let resources = resources.doing("Looking for tagged resources")?;
        found.extend(resources.iter().filter_map(|resource| resource.resource_arn()).filter_map(survivor));
    }
    Ok(found)
}

/// A filter of GetResources takes so many values.
const VALUES_AT_ONCE: usize = 20;

fn survivor(arn: &str) -> Option<Survivor> {
    if ASKED_ELSEWHERE.iter().chain(&INSIDE_A_VPC).any(|part| arn.contains(part)) {
        return None;
    }
    let end = |part: &str| arn.split_once(part).map(|(_, end)| end.trim_end_matches(":*").to_owned());
    let named = [(":table/", "table"), (":log-group:", "log group"), (":repository/", "repository")];
    let known = named.into_iter().find_map(|(part, kind)| Some(Survivor::new(kind, end(part)?, true)));
    known.or_else(|| Some(Survivor::new("resource", arn, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_resource_is_called_as_its_service_calls_it() {
        let at = |arn: &str| survivor(&format!("arn:aws:{arn}")).map(|survivor| (survivor.kind, survivor.id));
        assert_eq!(at("dynamodb:us-east-1:1:table/T-1"), Some(("table", "T-1".into())));
        assert_eq!(at("logs:us-east-1:1:log-group:G-1"), Some(("log group", "G-1".into())));
        assert_eq!(at("ecr:us-east-1:1:repository/a/b"), Some(("repository", "a/b".into())));
        let gateway = "ec2:us-east-1:1:internet-gateway/igw-1";
        assert_eq!(at(gateway), Some(("resource", format!("arn:aws:{gateway}"))));
        assert_eq!(at("ec2:us-east-1:1:natgateway/nat-1"), None);
        assert_eq!(at("ecs:us-east-1:1:task-definition/family:1"), None);
    }
}
