//! How long CloudFormation takes on AWS for a resource of each type, from the first event about it to the last.
//!
//! Where a figure was seen, its source says where; the others are typical and not verified. None of them is a promise
//! of AWS.

use std::time::Duration;

use super::resources::Properties;

/// What a resource type takes, in seconds.
pub(crate) struct Times {
    pub(crate) resource_type: &'static str,
    /// Only resources with this value of this property.
    pub(crate) only: Option<(&'static str, &'static str)>,
    pub(crate) create: u32,
    pub(crate) update: u32,
    pub(crate) delete: u32,
    /// Where the figures are from.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference page shows it"))]
    pub(crate) source: &'static str,
}

const fn times(resource_type: &'static str, (create, update, delete): (u32, u32, u32), source: &'static str) -> Times {
    Times { resource_type, only: None, create, update, delete, source }
}

/// A deployment that was rolled back, as the AWS CDK printed it; of several resources of a type, the median.
const LOG: &str = "events of a stack in us-east-1, September 2025";
const CREATED: &str = "creation: events of a stack in us-east-1, September 2025; the rest typical, not verified";
const TYPICAL: &str = "typical, not verified";

/// Types that are not here take [`OTHER`]. A test says that all are.
pub(crate) const TIMES: &[Times] = &[
    times(
        "AWS::DynamoDB::Table",
        (30, 10, 10),
        "creation: five stack event logs, 30 to 43 s; the rest typical, not verified",
    ),
    times("AWS::EC2::EIP", (16, 2, 2), LOG),
    times("AWS::EC2::InternetGateway", (16, 2, 1), LOG),
    // Creation: 84, 87, 92, 96, 96, 106, 116, 116, 118, 121 s. Deletion: 37, 48, 50, 52, 56, 60, 64, 79 s.
    times(
        "AWS::EC2::NatGateway",
        (105, 2, 55),
        "ten and eight logs of stacks and of Terraform: 84 to 121 s, 37 to 79 s",
    ),
    times("AWS::EC2::Route", (2, 2, 1), LOG),
    times("AWS::EC2::RouteTable", (12, 2, 1), LOG),
    times("AWS::EC2::SecurityGroup", (10, 3, 2), CREATED),
    times("AWS::EC2::SecurityGroupEgress", (3, 3, 2), TYPICAL),
    times("AWS::EC2::SecurityGroupIngress", (3, 3, 2), TYPICAL),
    times("AWS::EC2::Subnet", (5, 3, 2), LOG),
    times("AWS::EC2::SubnetRouteTableAssociation", (2, 2, 16), LOG),
    times("AWS::EC2::VPC", (13, 3, 2), LOG),
    Times {
        resource_type: "AWS::EC2::VPCEndpoint",
        only: Some(("VpcEndpointType", "Interface")),
        create: 60,
        update: 30,
        delete: 60,
        source: TYPICAL,
    },
    times("AWS::EC2::VPCEndpoint", (3, 3, 5), CREATED),
    times("AWS::EC2::VPCGatewayAttachment", (3, 2, 1), LOG),
    times("AWS::ECR::Repository", (2, 1, 1), "creation and deletion: events of two CDK bootstrap stacks"),
    times(
        "AWS::ECS::Cluster",
        (10, 2, 2),
        "creation: four logs of Terraform, 10 to 12 s; the rest typical, not verified",
    ),
    times("AWS::ECS::TaskDefinition", (2, 1, 1), TYPICAL),
    times("AWS::FIS::ExperimentTemplate", (3, 2, 2), TYPICAL),
    times(
        "AWS::IAM::Policy",
        (16, 16, 1),
        "creation and deletion: events of two stacks; the rest typical, not verified",
    ),
    times("AWS::IAM::Role", (17, 16, 11), "creation and deletion: events of eight stacks, 13 to 19 s, 10 to 13 s"),
    times("AWS::Logs::LogGroup", (3, 2, 2), TYPICAL),
];

const OTHER: Times = times("", (2, 2, 2), TYPICAL);

impl Times {
    fn of(resource_type: &str, properties: &Properties) -> &'static Self {
        let fits = |times: &&Self| {
            times.resource_type == resource_type
                && times.only.is_none_or(|(property, value)| properties.get(property).is_some_and(|it| it == value))
        };
        TIMES.iter().find(fits).unwrap_or(&OTHER)
    }
}

/// How long the creation of such a resource takes.
pub(super) fn creation(resource_type: &str, properties: &Properties) -> Duration {
    Duration::from_secs(Times::of(resource_type, properties).create.into())
}

/// How long an update of such a resource takes.
pub(super) fn update(resource_type: &str, properties: &Properties) -> Duration {
    Duration::from_secs(Times::of(resource_type, properties).update.into())
}

/// How long the deletion of such a resource takes.
pub(super) fn deletion(resource_type: &str, properties: &Properties) -> Duration {
    Duration::from_secs(Times::of(resource_type, properties).delete.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cloudformation::resources;

    #[test]
    fn every_type_has_its_times() {
        let has_times = |name: &str| TIMES.iter().any(|times| times.resource_type == name && times.only.is_none());
        let missing: Vec<_> = resources::all().map(|it| it.type_name()).filter(|name| !has_times(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let unknown: Vec<_> =
            TIMES.iter().map(|it| it.resource_type).filter(|it| resources::find(it).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn interface_endpoints_take_longer_than_gateways() {
        let of = |kind| creation("AWS::EC2::VPCEndpoint", json!({"VpcEndpointType": kind}).as_object().unwrap());
        assert!(of("Interface") > of("Gateway"));
    }
}
