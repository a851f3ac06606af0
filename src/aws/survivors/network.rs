//! What belongs to the network, and mostly has a price: NAT gateways, addresses, VPCs with what is in them, the
//! repository with its images.
//!
//! EC2 itself is asked: the tagging service goes on listing a NAT gateway that is deleted.

use super::{Gone, Survivor};
use crate::aws::clients::Clients;
use crate::aws::cost;
use crate::aws::ec2::Tag;
use crate::environment::NETWORK_STACK;
use crate::error::{Doing, Result};

/// What CloudFormation calls the repository: ECR's names have small letters.
const REPOSITORY: &str = "fisstackvpc-repository-";

pub(super) async fn find(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    if matches!(gone, Gone::Environments(_)) {
        return Ok(Vec::new());
    }
    let (nats, addresses, vpcs, repositories) = tokio::try_join!(
        nat_gateways(clients, gone),
        addresses(clients, gone),
        vpcs(clients, gone),
        repositories(clients),
    )?;
    Ok(nats.into_iter().chain(addresses).chain(vpcs).chain(repositories).collect())
}

/// A survivor, if its tags make it one: by ours, or by the name that the template gives.
fn by_tags(gone: Gone<'_>, kind: &'static str, id: &str, tags: &[Tag]) -> Option<Survivor> {
    let tagged = gone.has_tag(tags.iter().map(|tag| (Some(tag.key.as_str()), Some(tag.value.as_str()))));
    let name = tags.iter().find(|tag| tag.key == "Name").map(|tag| tag.value.as_str());
    let is_named = name.and_then(|name| name.strip_prefix(NETWORK_STACK)).is_some_and(|rest| rest.starts_with('/'));
    (tagged || is_named).then(|| Survivor::new(kind, id, tagged).named(name))
}

async fn nat_gateways(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let nats = clients.ec2.describe_nat_gateways().await.doing("Describing the NAT gateways")?;
    // EC2 lists a deleted one for about an hour. One that has failed costs nothing and goes by itself.
    let nats = nats.iter().filter(|nat| nat.state != "deleted");
    let found = nats.filter_map(|nat| {
        let survivor = by_tags(gone, "NAT gateway", &nat.nat_gateway_id, nat.tags())?;
        let is_free = matches!(nat.state.as_str(), "failed" | "deleting");
        Some(if is_free { survivor } else { survivor.costing(cost::NAT_GATEWAY) })
    });
    Ok(found.collect())
}

async fn addresses(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let addresses = clients.ec2.describe_addresses().await.doing("Describing the elastic IPs")?;
    let found = addresses.iter().filter_map(|address| {
        let id = address.allocation_id.as_deref().or(address.public_ip.as_deref()).unwrap_or_default();
        Some(by_tags(gone, "elastic IP", id, address.tags())?.costing(cost::PUBLIC_IPV4))
    });
    Ok(found.collect())
}

/// The VPCs, and what is in them. A VPC with anything in it cannot be deleted, so without one there is nothing more.
async fn vpcs(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let vpcs = clients.ec2.describe_vpcs().await.doing("Describing the VPCs")?;
    let mut found: Vec<_> = vpcs.iter().filter_map(|vpc| by_tags(gone, "VPC", &vpc.vpc_id, vpc.tags())).collect();
    for vpc in found.clone() {
        let (interfaces, endpoints) =
            tokio::try_join!(network_interfaces(clients, &vpc), interface_endpoints(clients, &vpc))?;
        found.extend(interfaces.into_iter().chain(endpoints));
    }
    Ok(found)
}

/// They bear no tags, as tasks and NAT gateways make them; whose they are, the VPC says.
async fn network_interfaces(clients: &Clients, vpc: &Survivor) -> Result<Vec<Survivor>> {
    let interfaces = clients.ec2.describe_network_interfaces(&vpc.id).await;
    let interfaces = interfaces.doing(format_args!("Describing the network interfaces in {}", vpc.id))?;
    let found = interfaces.into_iter().map(|interface| {
        let description = Some(interface.description.as_str()).filter(|text| !text.is_empty());
        Survivor::new("network interface", interface.network_interface_id, vpc.tagged).named(description)
    });
    Ok(found.collect())
}

async fn interface_endpoints(clients: &Clients, vpc: &Survivor) -> Result<Vec<Survivor>> {
    let endpoints = clients.ec2.describe_vpc_endpoints(&vpc.id).await;
    let endpoints = endpoints.doing(format_args!("Describing the VPC endpoints in {}", vpc.id))?;
    let found = endpoints.into_iter().map(|endpoint| {
        // A gateway endpoint is free; an interface endpoint is paid for in each zone.
        let zones = u32::try_from(endpoint.subnets()).map_or(0.0, f64::from);
        let survivor = Survivor::new("VPC endpoint", endpoint.vpc_endpoint_id, vpc.tagged);
        let survivor = survivor.named(Some(&endpoint.service_name));
        let has_price = endpoint.vpc_endpoint_type == "Interface";
        if has_price { survivor.costing(zones * cost::INTERFACE_ENDPOINT_ZONE) } else { survivor }
    });
    Ok(found.collect())
}

async fn repositories(clients: &Clients) -> Result<Vec<Survivor>> {
    let pages = clients.ecr.describe_repositories().into_paginator().items().send();
    let repositories = pages.collect::<std::result::Result<Vec<_>, _>>().await.doing("Describing the repositories")?;
    let mut found = Vec::new();
    for name in repositories.iter().filter_map(|repository| repository.repository_name()) {
        if !name.starts_with(REPOSITORY) {
            continue;
        }
        // Whether it bears the tag, the tagging service says.
        found.push(Survivor::new("repository", name, false));
        let pages = clients.ecr.list_images().repository_name(name).into_paginator().items().send();
        let images = pages.collect::<std::result::Result<Vec<_>, _>>().await;
        for image in images.doing(format_args!("Listing the images of {name}"))? {
            let digest = image.image_digest().unwrap_or_default();
            found.push(Survivor::new("image", format!("{name}@{digest}"), false).named(image.image_tag()));
        }
    }
    Ok(found)
}
