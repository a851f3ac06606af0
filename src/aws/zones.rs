//! In which Availability Zones the lab can be.

use super::clients::Clients;
use super::ec2::Zone;
use crate::error::{Doing, Error, Result};

/// Regions in which not every zone has Fargate, by the start of their zones' ids, with the zones that do
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html>).
const FARGATE: [(&str, &[&str]); 2] =
    [("usw1-", &["usw1-az1", "usw1-az3"]), ("apne1-", &["apne1-az1", "apne1-az2", "apne1-az4"])];

/// Names of the zones of the region that have Fargate, in their order.
///
/// # Errors
/// When EC2 does not tell.
pub(crate) async fn with_fargate(clients: &Clients) -> Result<Vec<String>> {
    let doing = format!("Listing the Availability Zones of {}", clients.region);
    let zones = clients.ec2.describe_availability_zones().await.doing(doing)?;
    let mut names: Vec<String> = zones.into_iter().filter(has_fargate).map(|zone| zone.zone_name).collect();
    names.sort_unstable();
    Ok(names)
}

/// Two of them, for the subnets of a new network.
///
/// # Errors
/// When there are fewer.
pub(crate) async fn two(clients: &Clients) -> Result<[String; 2]> {
    let mut zones = with_fargate(clients).await?.into_iter();
    match (zones.next(), zones.next()) {
        (Some(first), Some(second)) => Ok([first, second]),
        _ => Err(Error::failed(format!("{} has no two Availability Zones with Fargate.", clients.region))
            .hint("Choose another region with `--region`.")),
    }
}

fn has_fargate(zone: &Zone) -> bool {
    let known = FARGATE.iter().find(|(region, _)| zone.zone_id.starts_with(region));
    known.is_none_or(|(_, zones)| zones.contains(&zone.zone_id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scripted::Script;

    fn listed(zones: &[(&str, &str)]) -> Script {
        let item = |(name, id): &(&str, &str)| format!("<item><zoneName>{name}</zoneName><zoneId>{id}</zoneId></item>");
        let items: String = zones.iter().map(item).collect();
        let body = format!(
            "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>{items}</availabilityZoneInfo>\
             </DescribeAvailabilityZonesResponse>"
        );
        Script::default().answers("DescribeAvailabilityZones", 200, body)
    }

    #[tokio::test]
    async fn zones_without_fargate_are_passed_over() {
        let tokyo =
            [("ap-northeast-1d", "apne1-az2"), ("ap-northeast-1a", "apne1-az4"), ("ap-northeast-1c", "apne1-az3")];
        assert_eq!(two(&listed(&tokyo).clients()).await.unwrap(), ["ap-northeast-1a", "ap-northeast-1d"]);
        let ireland = [("eu-west-1b", "euw1-az2"), ("eu-west-1a", "euw1-az3")];
        assert_eq!(two(&listed(&ireland).clients()).await.unwrap(), ["eu-west-1a", "eu-west-1b"]);
        assert!(two(&listed(&tokyo[1..]).clients()).await.is_err());
    }
}
