//! The resource types that the engine can make: one file for each service.

mod dynamodb;
mod ec2;
mod ecr;
mod ecs;
mod events;
mod fis;
mod iam;
mod lambda;
mod logs;
mod resource_type;
mod sqs;

use super::latency::{OTHER, Times};

pub(crate) use resource_type::{Context, Created, Properties, Reading, Refused, ResourceType, Sibling};

/// Every type that the engine can make.
pub(crate) fn all() -> impl Iterator<Item = &'static dyn ResourceType> {
    [
        dynamodb::TYPES,
        ec2::TYPES,
        ecr::TYPES,
        ecs::TYPES,
        events::TYPES,
        fis::TYPES,
        iam::TYPES,
        lambda::TYPES,
        logs::TYPES,
        sqs::TYPES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The type of this name, if the engine can make it.
pub(crate) fn find(type_name: &str) -> Option<&'static dyn ResourceType> {
    all().find(|resource_type| resource_type.type_name() == type_name)
}

/// How long a resource of this type and with these properties takes on AWS.
pub(crate) fn times(type_name: &str, properties: &Properties) -> &'static Times {
    let times = find(type_name).map(ResourceType::times).unwrap_or_default();
    times.iter().find(|times| times.fits(properties)).unwrap_or(&OTHER)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_has_times_for_all_its_resources() {
        for resource_type in all() {
            let last = resource_type.times().last();
            assert!(last.is_some_and(|times| times.only.is_none()), "{}", resource_type.type_name());
        }
    }

    #[test]
    fn interface_endpoints_take_longer_than_gateways() {
        let of = |kind| times("AWS::EC2::VPCEndpoint", json!({"VpcEndpointType": kind}).as_object().unwrap());
        assert!(of("Interface").creation() > of("Gateway").creation());
    }
}
