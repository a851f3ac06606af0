//! What bears our tag, of whatever service, by AWS's index of tags. It "returns all the tagged or previously tagged
//! resources": a deleted one for up to an hour and more. So each hit is confirmed by its own service.

use std::collections::BTreeSet;

use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::{Gone, Survivor};
use crate::aws::clients::Clients;
use crate::aws::{logs, queue, table};
use crate::environment::ENVIRONMENT_TAG;
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

/// What the index names.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    arn: String,
    survivor: Survivor,
}

pub(super) async fn find(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Hit>> {
    let mut found = Vec::new();
    for filter in filters(gone) {
        let pages = clients.tagging.get_resources().tag_filters(filter).into_paginator().items().send();
        let resources = pages.collect::<std::result::Result<Vec<_>, _>>().await;
        let resources = resources.doing("Looking for tagged resources")?;
        let arns = resources.iter().filter_map(|resource| resource.resource_arn());
        found.extend(arns.filter_map(|arn| Some(Hit { arn: arn.to_owned(), survivor: survivor(arn)? })));
    }
    Ok(found)
}

/// Without values, a filter is for all that have the tag.
fn filters(gone: Gone<'_>) -> Vec<TagFilter> {
    let filter = || TagFilter::builder().key(ENVIRONMENT_TAG);
    match gone {
        Gone::Everything => vec![filter().build()],
        Gone::Environments(environments) => {
            let values: Vec<String> = environments.iter().map(ToString::to_string).collect();
            values.chunks(VALUES_AT_ONCE).map(|values| filter().set_values(Some(values.to_vec())).build()).collect()
        }
    }
}

/// Asks the services whether they have what the index names: what is really there, and the ARNs of the rest.
pub(super) async fn confirm(clients: &Clients, hits: Vec<Hit>) -> Result<(Vec<Survivor>, Vec<String>)> {
    let there = there(clients, &hits).await?;
    let (real, listed): (Vec<_>, Vec<_>) =
        hits.into_iter().partition(|hit| there.contains(&(hit.survivor.kind, hit.survivor.id.clone())));
    Ok((real.into_iter().map(|hit| hit.survivor).collect(), listed.into_iter().map(|hit| hit.arn).collect()))
}

/// What the services have, of the kinds that were hit; each is asked only if there is a hit.
async fn there(clients: &Clients, hits: &[Hit]) -> Result<BTreeSet<(&'static str, String)>> {
    let is_hit = |kind: &str| hits.iter().any(|hit| hit.survivor.kind == kind);
    let mut there = BTreeSet::new();
    if is_hit("table") {
        there.extend(table::names(clients, "").await?.into_iter().map(|name| ("table", name)));
    }
    if is_hit("repository") {
        let pages = clients.ecr.describe_repositories().into_paginator().items().send();
        let all = pages.collect::<std::result::Result<Vec<_>, _>>().await.doing("Describing the repositories")?;
        there.extend(all.into_iter().filter_map(|one| Some(("repository", one.repository_name?))));
    }
    if is_hit("internet gateway") {
        let all = clients.ec2.describe_internet_gateways().await.doing("Describing the internet gateways")?;
        there.extend(all.into_iter().map(|one| ("internet gateway", one.internet_gateway_id)));
    }
    // An account may have thousands of these: only those that were hit are asked for.
    for Hit { survivor: Survivor { kind, id, .. }, .. } in hits {
        let is_there = match *kind {
            "function" => clients.functions.has(id).await?,
            "rule" => clients.rules.has(id).await?,
            "queue" => queue::has(clients, id).await?,
            _ => false,
        };
        there.extend(is_there.then(|| (*kind, id.clone())));
    }
    for hit in hits.iter().filter(|hit| hit.survivor.kind == "log group") {
        let groups = logs::groups(clients, &hit.survivor.id).await?;
        there.extend(groups.into_iter().map(|name| ("log group", name)));
    }
    Ok(there)
}

/// A filter of GetResources takes so many values.
const VALUES_AT_ONCE: usize = 20;

fn survivor(arn: &str) -> Option<Survivor> {
    if ASKED_ELSEWHERE.iter().chain(&INSIDE_A_VPC).any(|part| arn.contains(part)) {
        return None;
    }
    let end = |part: &str| arn.split_once(part).map(|(_, end)| end.trim_end_matches(":*").to_owned());
    let named = [
        (":table/", "table"),
        (":log-group:", "log group"),
        (":repository/", "repository"),
        (":internet-gateway/", "internet gateway"),
        (":function:", "function"),
        (":rule/", "rule"),
    ];
    let known = named.into_iter().find_map(|(part, kind)| Some(Survivor::new(kind, end(part)?, true)));
    // The only ones whose ARNs do not say what they are of.
    let queue = || arn.split(':').nth(2).filter(|service| *service == "sqs").and_then(|_| arn.split(':').nth(5));
    let known = known.or_else(|| Some(Survivor::new("queue", queue()?, true)));
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
        assert_eq!(at("ec2:us-east-1:1:internet-gateway/igw-1"), Some(("internet gateway", "igw-1".into())));
        assert_eq!(at("lambda:us-east-1:1:function:F-1"), Some(("function", "F-1".into())));
        assert_eq!(at("events:us-east-1:1:rule/R-1"), Some(("rule", "R-1".into())));
        assert_eq!(at("sqs:us-east-1:1:Q-1"), Some(("queue", "Q-1".into())));
        assert_eq!(at("sns:us-east-1:1:t"), Some(("resource", "arn:aws:sns:us-east-1:1:t".into())));
        assert_eq!(at("ec2:us-east-1:1:natgateway/nat-1"), None);
        assert_eq!(at("ecs:us-east-1:1:task-definition/family:1"), None);
    }
}
