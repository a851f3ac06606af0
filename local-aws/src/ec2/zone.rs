//! Availability Zones.

use serde::Deserialize;
use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::refusal::INVALID;
use super::tag::Tags;
use crate::error::ApiError;
use crate::service::Call;

/// One zone of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) id: String,
    region: String,
}

/// The zones of a region: three, as most regions have; CloudFormation's `Fn::GetAZs` gives the same.
pub(crate) fn zones(region: &str) -> Vec<Zone> {
    let zone = |(index, letter): (usize, char)| Zone {
        name: format!("{region}{letter}"),
        // Which id a letter has differs from account to account; here they are in order.
        id: format!("{}-az{}", short_name(region), index + 1),
        region: region.to_owned(),
    };
    ('a'..='c').enumerate().map(zone).collect()
}

/// Their names.
pub(crate) fn names(region: &str) -> Vec<String> {
    zones(region).into_iter().map(|zone| zone.name).collect()
}

/// `us-east-1` is `use1`, `ap-southeast-2` is `apse2`.
fn short_name(region: &str) -> String {
    region
        .split('-')
        .map(|part| match part {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            "north" | "south" | "east" | "west" | "central" | "gov" => &part[..1],
            other => other,
        })
        .collect()
}

impl Describe for Zone {
    const FILTERS: &'static [&'static str] =
        &["group-name", "opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];

    fn key(&self) -> &str {
        &self.name
    }

    fn not_found(id: &str) -> ApiError {
        ApiError::new(INVALID, format!("Invalid availability zone: [{id}]"))
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "zone-id" => self.id.clone(),
            "zone-name" => self.name.clone(),
            "state" => "available".to_owned(),
            "opt-in-status" => "opt-in-not-required".to_owned(),
            "zone-type" => "availability-zone".to_owned(),
            "group-name" => group_name(&self.region),
            _ => self.region.clone(),
        }]
    }
}

// `us-east-1-zg-1`.
fn group_name(region: &str) -> String {
    format!("{region}-zg-1")
}

#[derive(Deserialize)]
struct Selection {
    #[serde(default, rename = "ZoneId")]
    ids: Vec<String>,
}

pub(super) fn describe_availability_zones(mut call: Call) -> Result<Value, ApiError> {
    let selection: Selection = call.decode()?;
    if let Some(members) = call.input.as_object_mut() {
        members.remove("ZoneId");
        // Zones that need an opt-in (Local Zones, Wavelength) are shown only on demand, and there are none.
        members.remove("AllAvailabilityZones");
    }
    let query = Query::read(&mut call, "ZoneName")?;
    let endpoint = &call.endpoint;
    let mut zones = zones(&endpoint.identity.region);
    if let Some(missing) = selection.ids.iter().find(|id| !zones.iter().any(|zone| zone.id == **id)) {
        return Err(Zone::not_found(missing));
    }
    zones.retain(|zone| selection.ids.is_empty() || selection.ids.contains(&zone.id));
    Ok(query.select(zones)?.output("availabilityZoneInfo", |zone| {
        json!({
            "zoneName": zone.name,
            "zoneId": zone.id,
            "zoneState": "available",
            "zoneType": "availability-zone",
            "regionName": zone.region,
            "groupName": group_name(&zone.region),
            "networkBorderGroup": zone.region,
            "optInStatus": "opt-in-not-required",
            "messageSet": [],
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_ids_are_short_region_names() {
        assert_eq!(zones("us-east-1")[0].id, "use1-az1");
        assert_eq!(zones("ap-southeast-2")[1].id, "apse2-az2");
        assert_eq!(zones("eu-central-1")[2].name, "eu-central-1c");
        assert_eq!(zones("us-gov-west-1")[0].id, "usgw1-az1");
    }
}
